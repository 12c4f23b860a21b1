"""Documents: one frozen model of headings, numbers, tables and charts, printed as HTML and as PDF."""

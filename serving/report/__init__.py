"""Documents: one frozen model of headings, numbers, tables and charts, printed as HTML and as PDF.

May import ``serving`` and below; jinja2 is at home in ``html``, typst in ``pdf``.
"""

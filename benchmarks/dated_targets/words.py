"""What stands above the tables of the result: how it was asked, what chose what, and what fell short."""

from __future__ import annotations

HEAD = """# Dated targets, replayed

{stamp}

`python benchmarks/dated_targets/run.py`: at every issue from 2009 to 2023 the plans' recipe and naive are
asked how likely each series is to be at or below a level at a later date, and the answer is held against
what came. Levels are cuts of {cuts}% below the figure of the first year of the series, of 10 and of 5
years before the cutoff, due after {steps} years. The set was written down before any score was seen and
was not changed after. A base figure in an older scope is read over the bridge; an outcome that is unknown
or beyond a scope break is left out and counted (*left out*). A plant that closed has met its target.

*Ours* and *naive* are as served: conformal bands of their own past errors, learnt at each issue from what
had been published, and for plants the chance of closing before them. Ours is recalibrated walking
forward: the map of an issue is learnt from pseudo-targets of earlier issues whose outcome had been
published by then, and the scores are of those chances. *Skill* is over the base rate of the kind, known
with hindsight; *over naive* is over naive's bands as served. Intervals are 5% and 95% ends over draws of
cutoffs and of blocks of areas, both at once. Brier scores of all kinds together are means over
pseudo-targets, most of which are of plants where the plan has plants.

Chosen on issues of 2014 to 2018 (cutoffs up to 2017), among some sixty settings: how far the map is held
back {pulls} and its memory {memory}. On those issues Cox's slope was 0.98 (annual) and 1.02 (facilities)
then; the tables below have the issues since 2009 as well, of which the first have no map yet and histories of
four years at most; the last column of the first tables has the ten issues from 2014 to 2023. Issues from 2019
on (cutoffs from 2018; of the US register 2017) were looked at once, after that choice; no setting was
changed then. Decisions 31 and 32 (docs/adr) have changed the recipe since, on panels of their own and figures
up to 2017; the tables are of a run with both. Not blind to later
years: outcomes of long steps from early cutoffs, and the prior of the bands (see ../skill/result.md).

The reliability slope is that of the reliability diagram; it was added to these tables after the look at
later years, beside Cox's slope, which had stood here under its name.

**Over naive.** "The chance of naive's path" can be read three ways. Of its one path, which meets a target or
does not: ours is better by a quarter. Of its paths as a walk with the series' own changes (what naive with
normal bands says): {walk}.
Of naive's points inside our own conformal bands, hurdle and all: ours gain 1.8% on plants after 2017 and next
to nothing on sectors, clusters, context and countries, where the blend's points are no better than naive's;
5% is not in sight there.

**How much more could be had** was tried on cutoffs up to 2017, apart from this script. A boosted
classifier over both chances, step, level, trend, size and kind, learnt walking forward, had a Brier score
between 3.9% below and 2.6% above naive's on the issues of 2014 to 2018 (facilities, a quarter of the
plants), and 0.2 to 4.4% above it on the annual plan. A logistic map that reads naive's and the walk's
chances beside ours, the step, the base year and how far the level lies, held back little, middling or
much: 2.5% worse to 0.1% better than the map served on facilities, 6.7% worse to 0.1% better on annual.
The mean of ours and naive's, or of ours and the walk's: at best 0.05% better on facilities, 0.3% on
annual. After 2017 Cox's slope is below 0.9 for plants, sectors and context, whose chances still lie too
near to 0 and 1, and those of context and countries were too low besides: figures fell more than was
expected of them. A map learnt on earlier years could not know that. Recalibration lowered the Brier score
of plants by 0.6% and that of countries by 0.7 to 1.0%; that of sectors, clusters and context is up
to 1.0% higher for it.
"""

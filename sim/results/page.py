"""The frame of the report: markup and style of one page without any resource of its own. `{title}` and `{body}` are filled in."""

from __future__ import annotations

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root { --paper: #ffffff; --ink: #1f2328; --quiet: #59636e; --line: #d1d9e0; --faint: #999999; --band: #f6f8fa;
  --good: #116329; --bad: #b3261e; --open: #7d4e00 }
@media (prefers-color-scheme: dark) { :root { --paper: #0f1318; --ink: #e6edf3; --quiet: #9ea7b3; --line: #30363d;
  --faint: #79818b; --band: #171c22; --good: #56d364; --bad: #ff8a80; --open: #e3b341 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 76rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .75rem }
h2 { font-size: 1.2rem; margin: 0 0 .25rem }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem }
p { margin: .25rem 0 .75rem; max-width: 52rem }
section > p, figcaption, dl.names, small { color: var(--quiet) }
section { margin-top: 2.25rem; padding-top: 1.25rem; border-top: 1px solid var(--line) }
code { font: .9em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere }
dl.names { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: 0 0 .75rem }
dl.names dd { margin: 0; color: var(--ink) }
dl.words dt { font-weight: 600; margin-top: .5rem }
dl.words dt code { font-weight: 400; color: var(--quiet); margin-left: .35rem }
dl.words dd { margin: 0; max-width: 52rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .35rem .65rem; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line) }
th:first-child { text-align: left }
thead th { background: var(--band); font-weight: 600; vertical-align: bottom }
tbody th { font-weight: 600; white-space: nowrap }
td b { font-weight: 600; white-space: nowrap }
td small { display: block; white-space: nowrap; font-size: .82rem }
.best b, .pass { color: var(--good) }
p.alarm, .alarm b, .fail { color: var(--bad) }
span.undecided, .undecided b { color: var(--open) }
figure { margin: 1.25rem 0 0 }
figure svg { max-width: 100%; height: auto; display: block }
figcaption { font-size: .88rem; margin-top: .25rem }
@media print { body { max-width: none; padding: 0; font-size: 11px } section { break-inside: avoid-page } .wide { overflow: visible }
  :root { --paper: #ffffff; --ink: #000000; --quiet: #444444; --line: #bbbbbb; --faint: #999999; --band: #f2f2f2 } }
</style>
</head>
<body>
{body}
</body>
</html>
"""

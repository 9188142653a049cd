"""The look of a page, light and dark, on a screen and in print.

The colours of grades, blue, amber and vermilion, stay apart for readers with any kind of colour blindness; each has a
word beside it. Texts have a contrast of 4.5 to 1 or more with what they stand on, in both modes (WCAG 2.1, AA).
"""

STYLE = """
:root {
  color-scheme: light dark;
  --back: #ffffff; --card: #f6f7f9; --text: #1b2128; --soft: #56616d; --line: #dde2e8; --rail: #e6eaef;
  --good: #0a5fa8; --usable: #8a5a00; --bad: #b23a0c; --none: #56616d;
  --good-wash: #d7e8f8; --usable-wash: #f7e7c3; --bad-wash: #fadccf; --none-wash: #e6eaef;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14181d; --card: #1c2229; --text: #e7ebef; --soft: #a7b1bc; --line: #323b45; --rail: #29313a;
    --good: #79c0ff; --usable: #f2bd4b; --bad: #ff9670; --none: #a7b1bc;
    --good-wash: #16354f; --usable-wash: #43340f; --bad-wash: #4c2417; --none-wash: #29313a;
  }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100% }
body { margin: 0; background: var(--back); color: var(--text);
  font: 16px/1.55 system-ui, "Segoe UI", Roboto, sans-serif }
.page { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem 4rem }
header { padding-top: 2.5rem }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; overflow-wrap: anywhere }
h2 { font-size: 1.3rem; margin: 3rem 0 .7rem; letter-spacing: -.005em }
h3 { font-size: 1rem; margin: 0 }
p { margin: .5rem 0; max-width: 46rem }
.soft { color: var(--soft) }
a { color: var(--good) }
:focus-visible { outline: 3px solid var(--good); outline-offset: 2px; border-radius: 2px }
.skip { position: absolute; left: -100vw; top: .5rem; padding: .5rem .9rem; background: var(--back); z-index: 1 }
.skip:focus { left: .5rem }

.tables { display: flex; flex-wrap: wrap; gap: .3rem 2.2rem; margin: 1rem 0 0; padding: 0; list-style: none }
.tables b { font-variant-numeric: tabular-nums; font-weight: 600 }

.verdicts { display: grid; gap: .9rem; margin-top: 1.6rem }
.verdict { background: var(--card); border-left: 5px solid var(--tone); border-radius: 6px; padding: 1rem 1.25rem }
.verdict h3 { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .8rem; font-size: 1.1rem }
.verdict p { margin: .45rem 0 0; max-width: 58rem }
.word { display: inline-block; white-space: nowrap; font-size: .82rem; font-weight: 600; line-height: 1.35;
  padding: .1rem .55rem; border-radius: 1rem; color: var(--tone); background: var(--wash) }
.verdict .word { font-size: .95rem }
.good { --tone: var(--good); --wash: var(--good-wash) }
.usable { --tone: var(--usable); --wash: var(--usable-wash) }
.bad { --tone: var(--bad); --wash: var(--bad-wash) }
.none { --tone: var(--none); --wash: var(--none-wash) }

.scroll { overflow-x: auto; margin: 0 0 1.6rem }
table { border-collapse: collapse; width: 100%; font-size: .93rem }
caption { text-align: left; font-weight: 600; padding: .9rem 0 .35rem; font-size: 1rem }
caption span { display: block; font-weight: 400; font-size: .88rem; color: var(--soft) }
th, td { text-align: left; vertical-align: top; padding: .5rem .9rem .5rem 0; border-bottom: 1px solid var(--line) }
thead th { font-size: .8rem; font-weight: 600; color: var(--soft); border-bottom-color: var(--soft);
  padding-bottom: .25rem; vertical-align: bottom }
tbody th { font-weight: 600 }
tbody th code { white-space: nowrap }
code { font: 600 .93em ui-monospace, "SF Mono", Menlo, Consolas, monospace }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td.value { font-weight: 600 }
td.bar { padding-left: .6rem } .measures th:nth-last-child(2) { padding-left: .6rem }
.measures { table-layout: fixed; min-width: 54rem }
.measures th { width: 9% } .measures th:first-child { width: 35% }
.measures th:nth-last-child(2) { width: 16% } .measures th:last-child { width: 13% }
.sees { display: block; font-weight: 400; font-size: .88rem; color: var(--soft) }
details { font-weight: 400; font-size: .88rem }
summary { cursor: pointer; color: var(--soft); width: max-content; max-width: 100% }
summary:hover { color: var(--text) }
details p { margin: .2rem 0 .3rem }
svg { display: block; margin-top: .3rem; forced-color-adjust: none }
svg .of-good { fill: var(--good-wash) } svg .of-usable { fill: var(--usable-wash) }
svg .of-bad { fill: var(--bad-wash) }
svg .rail { fill: var(--rail) } svg .range { fill: var(--tone); opacity: .55 }
svg .end { stroke: var(--soft); stroke-width: 1.5 }
svg .dot { fill: var(--tone); stroke: var(--back); stroke-width: 1.5 }

.legend { display: flex; flex-wrap: wrap; gap: .35rem 1.4rem; padding: 0; margin: .8rem 0; list-style: none;
  font-size: .88rem; color: var(--soft) }
figure { margin: 1rem 0 2rem }
figure h3 + p { margin-top: .2rem }
img { display: block; width: 100%; max-width: 66rem; height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: 6px }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .35rem 1.6rem; margin: .8rem 0 }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .88rem; color: var(--soft) }

@media (max-width: 46rem) {
  header { padding-top: 1.5rem } h1 { font-size: 1.5rem } h2 { margin-top: 2.2rem }
  dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .6rem }
  .measures thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  .measures { min-width: 0 } .measures caption,
  .measures, .measures tbody, .measures tr, .measures th, .measures td { display: block; width: auto }
  .measures tr { display: grid; grid-template-columns: repeat(4, 1fr); padding: .7rem 0;
    border-bottom: 1px solid var(--line) }
  .measures th, .measures td { border: 0; padding: 0 }
  .measures tbody th:first-child { grid-column: 1 / -1; margin-bottom: .4rem; width: auto }
  .measures td.number { text-align: left }
  .measures td.number::before { content: attr(data-label); display: block; font-size: .78rem; font-weight: 400;
    color: var(--soft) }
  .measures td.bar { grid-column: 1 / 3; margin-top: .4rem; padding: 0 }
  .measures caption { padding: .9rem 0 .35rem }
  .measures td.grade { grid-column: 3 / 5; margin-top: .45rem; text-align: right }
}
@media print {
  :root { --back: #fff; --card: #f6f7f9; --text: #000; --soft: #444; --line: #ccc; --rail: #eee;
    --good: #0a5fa8; --usable: #8a5a00; --bad: #b23a0c; --none: #444;
    --good-wash: #d7e8f8; --usable-wash: #f7e7c3; --bad-wash: #fadccf; --none-wash: #e6eaef }
  body { font-size: 11pt } .skip { display: none } .scroll { overflow: visible }
  tr, figure, .verdict { break-inside: avoid } h2, caption { break-after: avoid }
  .word, .verdict, svg { print-color-adjust: exact; -webkit-print-color-adjust: exact }
}
"""

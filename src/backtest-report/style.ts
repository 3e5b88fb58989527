// The look of the page: by day and by night, on paper, on a desk and on a phone. No outside font, image or script.

/** Is the style sheet of the report. */
export const STYLE = `
:root{--ink:#14202b;--muted:#5b6b7a;--faint:#8a98a5;--paper:#f6f7f5;--card:#fff;--rule:#e3e7e6;--won:#0f8a63;--lost:#c8453b;--accent:#2c62b8;--soft:#e9f0fb}
@media(prefers-color-scheme:dark){:root{--ink:#e6ecef;--muted:#9fb0bd;--faint:#76889a;--paper:#0f151a;--card:#161e25;--rule:#27323b;--won:#3cc394;--lost:#f0786d;--accent:#78a8f5;--soft:#1a2838}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:1040px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:26px;line-height:1.2;margin:0;letter-spacing:-.01em}
h2{font-size:17px;margin:0 0 2px}
p{margin:0}
.under{color:var(--muted);margin:6px 0 20px}
.card{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:18px 20px;margin:0 0 18px;break-inside:avoid}
.hint{color:var(--muted);font-size:13px;margin:0 0 10px}
.tiles{display:grid;grid-template-columns:repeat(6,1fr);gap:1px;background:var(--rule);border:1px solid var(--rule);border-radius:12px;overflow:hidden;margin:0 0 18px}
.tile{background:var(--card);padding:14px 16px}
.tile b{display:block;font-size:21px;line-height:1.25;font-variant-numeric:tabular-nums;letter-spacing:-.01em;white-space:nowrap}
.tile span{display:block;color:var(--muted);font-size:12.5px}
.won,.plus{color:var(--won)}.lost,.minus{color:var(--lost)}
dl{display:grid;grid-template-columns:92px 1fr;gap:7px 14px;margin:10px 0 0}
dt{color:var(--muted)}dd{margin:0;overflow-wrap:anywhere}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:18px}
.pair .card{min-width:0}
svg{display:block;width:100%;height:auto}
svg.narrow{display:none}
svg text{font:11.5px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--faint);font-variant-numeric:tabular-nums}
svg .middle{text-anchor:middle}
svg .grid{stroke:var(--rule);stroke-width:1}
svg .zero{stroke:var(--faint);stroke-width:1}
svg .level{stroke:var(--faint);stroke-width:1;stroke-dasharray:4 4}
svg .line{fill:none;stroke:var(--accent);stroke-width:1.4;stroke-linejoin:round}
svg .line.price{stroke:var(--muted);stroke-width:1.1}
svg .line.drawdown{stroke:var(--lost)}
svg .line.z{stroke-width:1}
svg .area{stroke:none;fill:var(--accent);opacity:.1}
svg .area.drawdown{fill:var(--lost);opacity:.16}
svg rect.won{fill:var(--won)}svg rect.lost{fill:var(--lost)}svg rect.plain{fill:var(--accent)}
svg g.won{color:var(--won)}svg g.lost{color:var(--lost)}
svg .trade{stroke:currentColor;stroke-width:1.6;fill:none}
svg .entry{fill:currentColor}svg .exit{fill:var(--card);stroke:currentColor;stroke-width:1.5}
.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th{font-weight:500;color:var(--muted);text-align:right;padding:5px 8px;border-bottom:1px solid var(--rule);white-space:nowrap}
td{text-align:right;padding:5px 8px;border-bottom:1px solid var(--rule);white-space:nowrap}
th:first-child,td:first-child,.left{text-align:left}
tr:last-child td{border-bottom:0}
.figures{display:grid;grid-template-columns:1fr 1fr;gap:0 36px}
.figure{display:grid;grid-template-columns:1fr auto;gap:14px;padding:8px 0;border-top:1px solid var(--rule);break-inside:avoid}
.figure b{font-weight:500;font-variant-numeric:tabular-nums}.figure p{color:var(--muted);font-size:12.5px;line-height:1.4}
.figure div:last-child{text-align:right}.figure div:last-child p{white-space:nowrap;font-variant-numeric:tabular-nums}
details summary{cursor:pointer;font-weight:600;font-size:15px}
details[open] summary{margin-bottom:10px}
.key{display:inline-flex;gap:2px 14px;flex-wrap:wrap}
footer{color:var(--faint);font-size:12.5px;margin-top:26px}
@media(max-width:820px){.tiles{grid-template-columns:repeat(3,1fr)}}
@media(max-width:640px){
main{padding:20px 12px 48px}
h1{font-size:22px}
.card{padding:14px 14px;border-radius:10px}
.tiles{grid-template-columns:1fr 1fr}
.tile{padding:11px 13px}
.tile b{font-size:18px}
.pair,.figures{grid-template-columns:1fr;gap:0}
dl{grid-template-columns:1fr;gap:0}
dt{margin-top:9px;font-size:12.5px}
svg.wide{display:none}svg.narrow{display:block}
}
@media print{body{background:#fff}main{max-width:none;padding:0}details:not([open]){display:none}}
`.trim();

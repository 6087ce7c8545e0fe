"""How the page looks: light and dark, desk, phone and paper.

Colours are those of Okabe and Ito, which colour-blind readers tell apart; shape or filling always says the
same as colour does.
"""

CSS = """
:root{color-scheme:light dark;
--paper:#fcfcfa;--panel:#fcfcfa;--ink:#1c1e21;--muted:#666c73;--line:#dfe0dd;--track:#efefeb;
--best:#c2410c;--best-soft:#fdf1e8;--prior:#3d6f9e;--deposit:#0072b2;--on-deposit:#fff;--measure:#e69f00;--on-measure:#241a00;
--transfer:#8f959b;--bad:#a3123a;--banner:#fff3c4;--on-banner:#4a3a00}
@media (prefers-color-scheme:dark){:root{
--paper:#15171a;--panel:#15171a;--ink:#e6e6e3;--muted:#9aa0a7;--line:#33373c;--track:#202327;
--best:#ff9257;--best-soft:#2b1f18;--prior:#86b6e0;--deposit:#3f97d3;--on-deposit:#06121b;--measure:#e0a21a;--on-measure:#1d1500;
--transfer:#737a82;--bad:#ff7d96;--banner:#3a3010;--on-banner:#ffe9a3}}
@media print{:root{color-scheme:light;
--paper:#fff;--panel:#fff;--ink:#000;--muted:#555;--line:#ddd;--track:#f1f1ee;
--best:#c2410c;--best-soft:#fdf1e8;--prior:#3d6f9e;--deposit:#0072b2;--on-deposit:#fff;--measure:#e69f00;--on-measure:#241a00;
--transfer:#8f959b;--bad:#a3123a;--banner:#fff3c4;--on-banner:#4a3a00}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.5 "Helvetica Neue","Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1000px;margin:0 auto;padding:28px 24px 56px}
h1{font-size:30px;line-height:1.15;font-weight:600;letter-spacing:-.01em;margin:0}
h2{font-size:16px;font-weight:600;margin:0 0 10px}
h3{font-size:14px;font-weight:600;margin:22px 0 6px}
p{margin:0}
section{margin-top:38px;min-width:0}
sub{font-size:.72em;line-height:0;vertical-align:-.28em}
.kicker,.when,.note,.aside,.none{color:var(--muted)}
.kicker{font-size:14px;margin-bottom:2px}
.when{margin-top:4px}
.note{font-size:13px;margin-top:8px;max-width:110ch}
nav{display:flex;flex-wrap:wrap;gap:4px 18px;margin-top:14px;font-size:13.5px}
a{color:var(--prior);text-underline-offset:2px;text-decoration-thickness:1px}
h2[id]{scroll-margin-top:14px}
.verdict{margin-top:22px;padding:16px 0;border:solid var(--line);border-width:1px 0}
.verdict .line{font-size:17px;line-height:1.5}
.verdict .line+.line{margin-top:6px}
.verdict ul{margin:2px 0 0;padding-left:1.2em}
.aside{display:block;font-size:14px}
.wants b{color:var(--bad)}
.banner{background:var(--banner);color:var(--on-banner);padding:9px 24px;font-size:14px;
display:flex;flex-wrap:wrap;gap:2px 14px;justify-content:center}
.banner b{letter-spacing:.06em}
.watermark{position:fixed;inset:0;z-index:1;display:flex;align-items:center;justify-content:center;pointer-events:none;
font-size:min(19vw,220px);font-weight:700;letter-spacing:.04em;color:var(--ink);opacity:.03;transform:rotate(-28deg)}
svg{display:block}
svg text{font-family:inherit}
.drawing{width:100%;height:auto;stroke-linejoin:round;overflow:visible}
.drawing text{paint-order:stroke;stroke:var(--panel);stroke-width:3px;stroke-linejoin:round}
.pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 40px}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin-top:8px;font-size:13px;color:var(--muted)}
.item{display:inline-flex;align-items:center;gap:6px;white-space:nowrap}
.symbol{width:14px;height:14px;flex:none;fill:var(--ink);stroke:var(--ink);stroke-width:1.2}
.symbol.hollow{fill:none}
.symbol.faint{fill:none;stroke:var(--muted);stroke-dasharray:2 1.6}
.symbol .best{fill:none;stroke:var(--best);stroke-width:2}
.symbol .prior{fill:var(--prior);fill-opacity:.25;stroke:none}
.symbol rect[class]{stroke:none}
.scaled{font-size:13px;margin-top:6px}
.scaled .of{display:block;color:var(--muted)}
.ends{display:flex;align-items:center;gap:10px}
.scale{flex:1;height:8px;min-width:0}
.defs{position:absolute}
.gantt{display:grid;grid-template-columns:max-content max-content minmax(0,1fr);gap:6px 14px;align-items:center}
.track.events{background:none;border-bottom:1px solid var(--line)}
.events line{stroke-width:3;stroke:var(--muted)}.events .grave{stroke:var(--bad)}
rect.down{fill:var(--bad);opacity:.45}
.uses{margin-top:14px}
.uses .pm,.uses td .pm{color:var(--muted)}
.share{text-align:right;color:var(--muted)}
.track{background:var(--track);position:relative}
.track svg{width:100%;overflow:hidden}
.track text{font-size:11px;text-anchor:middle}
.deposit{fill:var(--deposit)}.measure{fill:var(--measure)}.transfer,.retire{fill:var(--transfer)}
text.deposit{fill:var(--on-deposit)}text.measure{fill:var(--on-measure)}text.bad{fill:var(--panel)}text.open{fill:var(--ink)}
rect.bad{fill:var(--bad)}
rect.open{fill:none;stroke:var(--ink);stroke-dasharray:3 2}
.symbol rect.open{stroke:var(--ink)}
rect.held{fill:url(#hatch);opacity:.6}
rect.hatch{fill:var(--muted);stroke:none}
.axis{grid-column:3;position:relative;height:18px;font-size:12px;color:var(--muted)}
.axis span{position:absolute;transform:translateX(-50%);white-space:nowrap}
.axis span::before{content:"";position:absolute;left:50%;top:-6px;height:5px;border-left:1px solid var(--muted)}
.loops{display:grid;grid-template-columns:repeat(auto-fill,minmax(138px,1fr));gap:18px 16px;margin-top:14px}
.loop{margin:0;min-width:0;break-inside:avoid}
.loop svg{width:100%;height:auto;background:var(--track)}
.loop polyline{fill:none;stroke:var(--ink);stroke-width:1;stroke-linejoin:round}
.loop .axis{position:static}
.loop path.axis{fill:none;stroke:var(--line);stroke-width:1}
.loop.odd polyline{stroke:var(--muted);stroke-dasharray:2.5 1.6}
.loop.top svg{background:var(--best-soft);outline:1.5px solid var(--best)}
.loop.top polyline{stroke:var(--best);stroke-width:1.4}
.loop.top figcaption b,.loop.top .value{color:var(--best)}
.loop figcaption{font-size:12.5px;line-height:1.4;margin-top:5px;
display:grid;grid-template-columns:auto 1fr;column-gap:8px}
.loop .value{text-align:right}
.loop .made{grid-column:1/3;color:var(--muted);overflow-wrap:anywhere}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:13.5px;line-height:1.35;width:100%}
th,td{padding:4px 0 4px 12px;text-align:right;white-space:nowrap;font-weight:400;vertical-align:baseline}
thead th{color:var(--muted);font-size:12.5px;padding-bottom:5px}
thead tr:last-child th{border-bottom:1px solid var(--ink)}
tbody tr+tr>*{border-top:1px solid var(--line)}
th:first-child,td:first-child{padding-left:0}
.groups th{padding-bottom:0;text-align:center;white-space:normal;vertical-align:bottom}
tbody th{font-weight:600}
td.pm{padding-left:4px;text-align:left;color:var(--muted);font-size:12.5px}
th.text,td.text{text-align:left}
td.good{color:var(--muted)}
.samples td.text:last-child,.troubles td.text:last-child{white-space:normal;min-width:16ch;width:99%}
.samples tr>.text:last-child,.troubles .text{padding-left:18px}
.why{color:var(--muted)}
.what{font-weight:600}
tr.top>*{background:var(--best-soft)}
tr.top th,tr.top td{color:var(--best)}
.swatch{width:26px;height:14px;fill:none}
.swatch .best{stroke:var(--best)}.swatch .ink{stroke:var(--ink)}.swatch .prior{stroke:var(--prior)}
.swatch .muted{stroke:var(--muted)}
.gauge{display:inline-block;width:90px;height:8px;margin-right:8px;vertical-align:.05em}
.gauge .whole{fill:var(--track)}.gauge .left{fill:var(--deposit)}
p+.scroll,p+.drawing{margin-top:10px}
.scroll+p,.drawing+p,p+p{margin-top:8px}
.top-samples{align-items:center}
tr.grave .what{color:var(--bad)}
details{margin-top:14px;font-size:13.5px}
summary{cursor:pointer;font-weight:600}
details dl,details ul{margin-top:8px}
.runs{margin-bottom:0;padding:0;list-style:none;columns:2;column-gap:40px}
.runs li{break-inside:avoid}
code{font:12px/1.5 ui-monospace,"Liberation Mono",Consolas,monospace;overflow-wrap:anywhere}
.card{display:grid;grid-template-columns:repeat(auto-fill,minmax(220px,1fr));columns:auto;gap:0;padding:0 1px 1px 0}
.card div{display:block;padding:12px 14px;border:1px solid var(--line);margin:0 -1px -1px 0}
.card dt{font-size:13px}
.card .value{font-size:19px;font-weight:600;line-height:1.3}
.card .unknown{color:var(--muted);font-weight:400;font-style:italic}
.card .how{color:var(--muted);font-size:13px;line-height:1.4;margin-top:3px}
dl{margin:0;font-size:13.5px;columns:2;column-gap:40px}
dl div{display:grid;grid-template-columns:minmax(0,13em) 1fr;gap:12px;break-inside:avoid;padding:2px 0}
dt{color:var(--muted);overflow-wrap:anywhere}
dd{margin:0;overflow-wrap:anywhere}
.on-phone{display:none}
@media (max-width:720px){
main{padding:18px 16px 40px}
body{font-size:16px}
h1{font-size:26px}
.banner{padding:9px 16px;justify-content:flex-start}
.pair{grid-template-columns:minmax(0,1fr);gap:18px 0}
.runs{columns:1}
.wide .drawing{min-width:640px}
.at-desk{display:none}
.on-phone{display:block}
.gantt{grid-template-columns:1fr auto;gap:2px 10px}
.track,.axis{grid-column:1/3}
.axis{margin-top:6px}
.station:not(:first-child){margin-top:8px}
.track text{display:none}
.samples th:first-child{position:sticky;left:0;background:var(--paper);padding-right:4px}
.samples tbody tr.top th:first-child{background:var(--best-soft)}
.samples td.text:last-child{min-width:32ch}
.loops{grid-template-columns:repeat(auto-fill,minmax(104px,1fr));gap:16px 12px}
.troubles,.troubles tbody{display:block}
.troubles thead{display:none}
.troubles tr{display:grid;grid-template-columns:auto auto auto 1fr;gap:0 12px;padding:7px 0;font-size:14.5px}
.troubles tr+tr{border-top:1px solid var(--line)}
.troubles tr>td{padding:0!important;border:0;white-space:normal!important}
.troubles td:last-child{grid-column:1/-1}
.troubles td.sample:not(:empty)::before{content:"sample "}
dl{columns:1}
}
@media print{
@page{size:A4;margin:13mm}
.at-desk{display:block}
.on-phone{display:none}
.card,.pair>div{break-inside:avoid}
body{font-size:10pt}
main{max-width:none;padding:0}
nav{display:none}
.banner{border:1px solid;margin-bottom:14px}
section{margin-top:22px}
h2{break-after:avoid}
tr,.drawing,.gantt{break-inside:avoid}
.verdict .line{font-size:11.5pt}
table{font-size:8pt}
th,td{padding:2px 0 2px 7px}
thead th,td.pm{font-size:7.5pt}
.scroll{overflow:visible}
.loops{grid-template-columns:repeat(6,1fr);gap:10px}
.loop figcaption{font-size:7.5pt}
dl{font-size:8.5pt}
}
"""

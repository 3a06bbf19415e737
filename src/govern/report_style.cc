#include "govern/report_sections.h"

namespace slipway::govern {

// Light by default, dark when the system is; charts take their colours from the same variables. No fonts are fetched.
const char* report_style() noexcept {
  return R"css(
:root{color-scheme:light dark;--bg:#f6f6f3;--card:#fff;--ink:#1b1e24;--soft:#5f6875;--line:#e4e3de;--grid:#ecebe6;
--accent:#2c5ae0;--accent-soft:#e8eefe;--second:#c2650c;--third:#7a4fd1;--pos:#0b7d62;--pos-soft:#e0f3ec;--neg:#c0342b;
--neg-soft:#fbe9e7;--warn:#94660a;--warn-soft:#f8eed8;--pos-rgb:16 138 110;--neg-rgb:210 64 50;--shadow:0 1px 2px #1b1e240d,0 6px 24px #1b1e240a}
@media (prefers-color-scheme:dark){:root{--bg:#0f1115;--card:#171a20;--ink:#e8eaef;--soft:#9aa3b3;--line:#2a2e37;--grid:#23272f;
--accent:#85a3ff;--accent-soft:#1d2747;--second:#f0a35a;--third:#b79bff;--pos:#4fcba6;--pos-soft:#12302a;--neg:#ff8478;
--neg-soft:#3a1c1a;--warn:#e8bc62;--warn-soft:#33280f;--pos-rgb:64 190 152;--neg-rgb:240 104 90;--shadow:none}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:1rem}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans CJK SC",sans-serif;
font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
a{color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:-9999px}.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem 1rem;z-index:9}
.page{display:grid;grid-template-columns:minmax(0,1fr);max-width:1240px;margin:0 auto;padding:0 20px 60px}
nav{display:none}
@media (min-width:1080px){.page{grid-template-columns:172px minmax(0,1fr);column-gap:44px}
nav{display:block;position:sticky;top:0;align-self:start;max-height:100vh;overflow:auto;padding:48px 0 24px}
nav ol{list-style:none;margin:0;padding:0;border-left:1px solid var(--line)}
nav a{display:block;padding:4px 14px;margin-left:-1px;border-left:2px solid transparent;color:var(--soft);text-decoration:none;font-size:13.5px}
nav a:hover,nav a:focus{color:var(--ink);border-color:var(--accent)}nav .none a{opacity:.55}}
header.top{padding:44px 0 10px}
.eyebrow{font-size:12px;letter-spacing:.09em;text-transform:uppercase;color:var(--soft);margin:0 0 8px;font-weight:600}
h1{font-size:clamp(28px,4.6vw,42px);line-height:1.12;letter-spacing:-.022em;margin:0 0 14px;font-weight:720;overflow-wrap:anywhere}
.lead{font-size:17px;color:var(--soft);max-width:46em;margin:0 0 18px}.lead b{color:var(--ink);font-weight:620}
.meta{display:flex;flex-wrap:wrap;gap:6px 20px;color:var(--soft);font-size:13px;margin:0 0 8px;padding:0;list-style:none}
.verdict{display:inline-flex;align-items:center;gap:9px;padding:7px 15px 7px 12px;border-radius:999px;font-weight:640;font-size:14.5px;margin:0 0 16px}
.verdict svg{width:18px;height:18px}.verdict.pos{background:var(--pos-soft);color:var(--pos)}.verdict.neg{background:var(--neg-soft);color:var(--neg)}
.verdict.warn{background:var(--warn-soft);color:var(--warn)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(250px,100%),1fr));gap:12px;margin:16px 0 8px;padding:0;list-style:none}
.tile{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:15px 17px 13px;box-shadow:var(--shadow)}
.tile p{margin:0}.tile .k{font-size:12.5px;color:var(--soft);font-weight:560}.tile .n{font-size:27px;line-height:1.25;font-weight:680;letter-spacing:-.02em;margin-top:3px;white-space:nowrap}
.tile .n small{font-size:14px;font-weight:560;color:var(--soft);letter-spacing:0;margin-left:3px}.tile .s{font-size:12.5px;color:var(--soft)}
.tile .mini{position:relative;height:5px;border-radius:3px;background:var(--grid);margin:9px 0 6px}
.tile .mini i{position:absolute;top:0;bottom:0;border-radius:3px;background:var(--accent);opacity:.42}.tile .mini u{position:absolute;top:-3px;height:11px;width:3px;margin-left:-1.5px;border-radius:2px;background:var(--accent)}
section{background:var(--card);border:1px solid var(--line);border-radius:16px;padding:24px 26px 22px;margin:18px 0;box-shadow:var(--shadow)}
section>header{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 14px;margin-bottom:6px}
h2{font-size:21px;letter-spacing:-.012em;margin:0;font-weight:680}h3{font-size:15px;margin:24px 0 8px;font-weight:650}
.chip{font-size:12px;color:var(--soft);border:1px solid var(--line);border-radius:999px;padding:1px 10px}
.about{color:var(--soft);margin:0 0 14px;max-width:52em}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(340px,100%),1fr));gap:8px 34px;align-items:start}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px;margin:6px 0 14px}
caption{text-align:left;font-weight:620;font-size:13.5px;padding:6px 0 7px}
th,td{padding:6px 10px 6px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--grid)}
thead th{font-size:12px;color:var(--soft);font-weight:560;border-bottom-color:var(--line);white-space:nowrap}
tbody th{font-weight:500;overflow-wrap:break-word;min-width:5em}tbody tr:last-child>*{border-bottom:0}
.r,tbody.r1 td:nth-child(n+2),tbody.r2 td:nth-child(n+3),tbody.r3 td:nth-child(n+4),tbody.r4 td:nth-child(n+5),tbody.r5 td:nth-child(n+6){text-align:right;white-space:nowrap}
.bars th{width:32%;min-width:110px}.bars .b{width:48%;vertical-align:middle}.bars .b i{display:block;height:12px;min-width:2px;border-radius:3px;background:var(--accent)}
.bars .v{white-space:nowrap;text-align:right}.bars small{color:var(--soft)}
.bars i.pos{background:var(--pos)}.bars i.neg{background:var(--neg)}.bars i.warn{background:var(--second)}.bars i.muted{background:var(--soft);opacity:.55}
.forest{table-layout:fixed;min-width:640px}.forest th:first-child{width:23%}.forest .t{width:37%;padding-right:24px}
.forest thead th:nth-child(4){width:17%}.forest thead th:nth-child(3){width:10%}
.forest thead .t span{display:inline-block;width:50%;font-weight:450}.forest thead .t span+span{text-align:right}
.forest .t div{position:relative;height:20px}.forest .t div::before{content:"";position:absolute;left:0;right:0;top:9.5px;height:1px;background:var(--line)}
.forest .t i{position:absolute;top:7px;height:6px;border-radius:3px;background:var(--accent);opacity:.36}
.forest .t u{position:absolute;top:5px;width:10px;height:10px;margin-left:-5px;border-radius:50%;background:var(--accent);border:2px solid var(--card)}
.forest .t b{position:absolute;top:-4px;bottom:-4px;width:0;border-left:1.5px dashed var(--soft)}
.forest tr.pos i,.forest tr.pos u{background:var(--pos)}.forest tr.neg i,.forest tr.neg u{background:var(--neg)}
figure{margin:8px 0 14px}figcaption{font-weight:620;font-size:13.5px;margin-bottom:6px;display:flex;flex-wrap:wrap;gap:2px 16px;justify-content:space-between}
figure.square{max-width:350px}figure.square figcaption{display:block}
svg.chart{width:100%;height:auto;display:block;overflow:visible}svg.graph{height:auto;display:block;margin:6px 0}
.grid{stroke:var(--grid);stroke-width:1}.tick,.axis{fill:var(--soft);font-size:11px}.axis{font-size:11.5px}.e{text-anchor:end}.m{text-anchor:middle}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.line.s1{stroke:var(--accent)}.line.s2{stroke:var(--second)}.line.s3{stroke:var(--third)}
.line.faint{stroke:var(--accent);opacity:.28;stroke-width:1.2}
.dot{stroke:var(--card);stroke-width:1.4}.dot.s1{fill:var(--accent)}.dot.s2{fill:var(--second)}.dot.s3{fill:var(--third)}.dot.alarm{fill:var(--neg)}
.column{fill:var(--accent);opacity:.82}.limit{stroke:var(--neg);stroke-width:1.4;stroke-dasharray:5 4}.diagonal{stroke:var(--soft);stroke-dasharray:4 4}.whisker{stroke:var(--accent);stroke-width:1.6;opacity:.5}
.legend{display:flex;gap:14px;font-weight:450;color:var(--soft);font-size:12.5px}.key::before{content:"";display:inline-block;width:14px;height:3px;border-radius:2px;vertical-align:middle;margin-right:6px;background:var(--accent)}
.key.s2::before{background:var(--second)}.key.s3::before{background:var(--third)}.key.faint::before{opacity:.35}.key.limit::before{background:var(--neg)}
.matrix{width:auto}.matrix th,.matrix td{border:0;padding:7px 12px;text-align:center}.matrix tbody th{text-align:right;max-width:16em}
.matrix td{min-width:84px;border-radius:8px;border:2px solid var(--card);background:rgb(var(--c)/var(--a));font-weight:640}.matrix td small{display:block;font-weight:450;opacity:.8;font-size:11.5px}
.matrix .ok{--c:var(--pos-rgb)}.matrix .no{--c:var(--neg-rgb)}
.badge{display:inline-block;border-radius:6px;padding:0 8px;font-size:12px;font-weight:640}.badge.pos{background:var(--pos-soft);color:var(--pos)}.badge.neg{background:var(--neg-soft);color:var(--neg)}.badge.warn{background:var(--warn-soft);color:var(--warn)}
code,pre{font:12.5px/1.6 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}code{background:var(--grid);border-radius:5px;padding:1px 5px;overflow-wrap:anywhere}
.scroll code{overflow-wrap:break-word}#repeat .scroll code{overflow-wrap:anywhere}
pre{background:var(--bg);border:1px solid var(--line);border-radius:10px;padding:12px 14px;overflow-x:auto;margin:8px 0 14px}pre code{background:none;padding:0;overflow-wrap:normal}
.absent{color:var(--soft);border:1px dashed var(--line);border-radius:10px;padding:9px 14px;margin:8px 0;font-size:13.5px}
blockquote{margin:10px 0;padding:10px 14px;border:1px solid var(--line);border-radius:10px;font-size:14.5px;line-height:1.9;overflow-wrap:anywhere}
blockquote .w{border-radius:4px;padding:1px 3px;background:rgb(var(--c)/var(--a))}.w.p{--c:var(--pos-rgb)}.w.q{--c:var(--neg-rgb)}
blockquote footer{font-size:12.5px;color:var(--soft);line-height:1.5;margin-top:6px}
details{margin:6px 0}summary{cursor:pointer;color:var(--accent);font-size:13.5px;padding:3px 0}
ul.plain{padding-left:1.1em;margin:6px 0}ins{background:var(--accent-soft);color:var(--accent);text-decoration:none;border-radius:4px;padding:0 3px}
.node rect{fill:var(--card);stroke:var(--line);stroke-width:1.3}.node .kind{font-size:10.5px;fill:var(--soft);letter-spacing:.04em}.node .name{font-size:12.5px;fill:var(--ink);font-weight:560}
.edge{fill:none;stroke:var(--soft);stroke-width:1.2;opacity:.65}.head{fill:var(--soft)}
.node.k-model rect{stroke:var(--accent);fill:var(--accent-soft)}.node.k-alert rect{stroke:var(--neg);fill:var(--neg-soft)}.node.k-dataset rect{stroke:var(--pos);fill:var(--pos-soft)}.node.k-deployment rect{stroke:var(--second);fill:var(--warn-soft)}
body>footer{max-width:1240px;margin:0 auto;padding:0 20px 40px;color:var(--soft);font-size:12.5px}
@media (max-width:560px){section{padding:18px 16px}.page{padding:0 12px 40px}}
@media print{:root{--bg:#fff;--card:#fff;--shadow:none}body{font-size:10.5pt}nav,.skip{display:none!important}.page{display:block;max-width:none;padding:0}
section{border:0;border-top:1px solid var(--line);border-radius:0;padding:14px 0}section>header,h3,figcaption,caption{break-after:avoid}figure,.tile,blockquote,tr{break-inside:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";
}

}  // namespace slipway::govern

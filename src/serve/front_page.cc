// The page at `/`: a text box, and what the model says to it: bars for classes, or a chat that streams. One page, no
// request but to this server; programs that do not ask for HTML get a line of text.
#include "serve/generator_core.h"

namespace slipway::serve {

namespace {

constexpr const char* kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Slipway</title><style>
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
textarea{width:100%;box-sizing:border-box;font:inherit;padding:.5rem;border:1px solid #8a94a0;border-radius:.4rem}
button{font:inherit;padding:.3rem 1rem;margin:.5rem .5rem 0 0}
.turn{white-space:pre-wrap;padding:.5rem .75rem;border-radius:.4rem;margin:.5rem 0;background:#eef2f6}
.user{background:#dcecff}.bar{display:grid;grid-template-columns:10rem 1fr 4rem;gap:.5rem;align-items:center}
meter{width:100%}.error{color:#a40000}
@media(prefers-color-scheme:dark){body{color:#e6e9ec;background:#14171a}textarea{background:#1f2428;color:inherit}
.turn{background:#22282e}.user{background:#1d3349}.error{color:#ff8a80}}
</style></head><body><h1>Slipway</h1>
)";

// Asks for an API key when the server wants one; it stays until the page's tab is closed.
constexpr const char* kCall = R"(<script>
async function call(path,init){const send=key=>{if(key)init.headers.Authorization='Bearer '+key;return fetch(path,init)};
 const r=await send(sessionStorage.getItem('key'));if(r.status!==401)return r;
 const key=prompt('This server needs an API key');if(!key)return r;sessionStorage.setItem('key',key);return send(key)}
</script>
)";

constexpr const char* kChat = R"(<main id="log" aria-live="polite"></main>
<label for="text">Your message (Enter sends, Shift+Enter breaks the line)</label><textarea id="text" rows="3" autofocus></textarea>
<button id="send">Send</button><button id="stop" disabled>Stop</button><button id="clear">New chat</button>
<script>
const $=id=>document.getElementById(id);let messages=[],controller=null;
function turn(role,text){const d=document.createElement('div');d.className='turn '+role;d.textContent=text;$('log').append(d);return d}
async function send(){const text=$('text').value.trim();if(!text||controller)return;
 $('text').value='';messages.push({role:'user',content:text});turn('user',text);
 const out=turn('assistant','');let answer='';controller=new AbortController();$('send').disabled=true;$('stop').disabled=false;
 try{const r=await call('/v1/chat/completions',{method:'POST',signal:controller.signal,headers:{'Content-Type':'application/json'},
   body:JSON.stringify({messages,stream:true})});
  if(!r.ok)throw new Error((await r.json()).error.message);
  const reader=r.body.pipeThrough(new TextDecoderStream()).getReader();let rest='';
  for(;;){const {value,done}=await reader.read();if(done)break;rest+=value;let cut;
   while((cut=rest.indexOf('\n\n'))>=0){const line=rest.slice(0,cut);rest=rest.slice(cut+2);
    if(!line.startsWith('data: ')||line==='data: [DONE]')continue;const e=JSON.parse(line.slice(6));
    if(e.error)throw new Error(e.error.message);
    if(e.choices.length&&e.choices[0].delta.content){answer+=e.choices[0].delta.content;out.textContent=answer;scrollTo(0,document.body.scrollHeight)}}}
 }catch(e){if(e.name!=='AbortError'){out.className+=' error';out.textContent=answer+'\n'+e.message}}
 messages.push({role:'assistant',content:answer});controller=null;$('send').disabled=false;$('stop').disabled=true}
$('send').onclick=send;$('stop').onclick=()=>controller&&controller.abort();
$('clear').onclick=()=>{controller&&controller.abort();messages=[];$('log').textContent=''};
$('text').onkeydown=e=>{if(e.key==='Enter'&&!e.shiftKey){e.preventDefault();send()}};
</script></body></html>
)";

constexpr const char* kClassify = R"(<label for="text">A text</label><textarea id="text" rows="4" autofocus></textarea>
<button id="send">Classify</button><main id="out" aria-live="polite"></main>
<script>
const $=id=>document.getElementById(id);
$('send').onclick=async()=>{const out=$('out');out.textContent='';
 try{const r=await call('/v1/classify',{method:'POST',headers:{'Content-Type':'application/json'},body:JSON.stringify({inputs:$('text').value})});
  const j=await r.json();if(!r.ok)throw new Error(j.error);
  for(const [label,score] of Object.entries(j.predictions[0].scores).sort((a,b)=>b[1]-a[1])){
   const row=document.createElement('div');row.className='bar';const name=document.createElement('span');name.textContent=label;
   const meter=document.createElement('meter');meter.value=score;meter.title=label;const number=document.createElement('span');
   number.textContent=score.toFixed(3);row.append(name,meter,number);out.append(row)}
 }catch(e){const p=document.createElement('p');p.className='error';p.textContent=e.message;out.append(p)}};
</script></body></html>
)";

}  // namespace

net::Response front_page(const net::Request& request, bool chat) {
  if (request.headers.get("Accept").find("text/html") == std::string_view::npos) {
    return net::text_response("Slipway is running\n");
  }
  net::Response page;
  page.headers.set("Content-Type", "text/html; charset=utf-8");
  page.headers.set("Content-Security-Policy",
                   "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'");
  page.body = std::string(kHead) + kCall + (chat ? kChat : kClassify);
  return page;
}

}  // namespace slipway::serve

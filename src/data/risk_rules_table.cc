// What the risk scanner looks for. Written for this program; it contains offensive words, for it has to know them.
#include "data/risk_rules.h"

namespace slipway::data {
namespace {

using enum Risk;

// clang-format off
constexpr RiskRule kRules[] = {
    // English: slurs against groups of people
    {kToxicity, "slur-race", R"(\b(nigg(a|er|uh|az)z?s?|negroid|coons?|darkie|jigaboo|porch monkey|sand ?nigger|spics?|wetbacks?|beaners?|chinks?|gooks?|zipperhead|towelhead|raghead|camel jockey|paki|kikes?|gypp?o|redskins?|cracker ass|white trash|whitey|redneck trash)\b)", 0.8},
    {kToxicity, "slur-orientation", R"(\b(fag(g?ot)?s?|f[a@]gg?[o0]ts?|dykes?|tranny|trannies|shemales?|homos?|queers? (should|are|must)|no homo)\b)", 0.75},
    {kToxicity, "slur-disability", R"(\b(retards?|retarded|mongoloid|spaz(z|tic)?|cripples?|libtards?|fucktards?)\b)", 0.65},
    {kToxicity, "group-hate", R"(\b((all|those|these|the) (jews|muslims|blacks|whites|gays|immigrants|women|mexicans|asians|arabs) (are|should|must|deserve|need to)|(kill|gas|hang|deport|exterminate) (all|the|every) (jews?|muslims?|blacks?|whites?|gays?|immigrants?|women|mexicans?|asians?|arabs?))\b)", 0.8},
    {kToxicity, "subhuman", R"(\b((are|is|bunch of|you|filthy|dirty|human) (subhumans?|vermin|cockroaches|parasites|savages|animals|scum|filth))\b)", 0.5},
    // English: insults and abuse of a person
    {kToxicity, "insult-strong", R"(\b(cunts?|cocksuckers?|motherfuck\w*|mother ?fuckers?|mofos?|assholes?|arseholes?|dumbass(es)?|dumb ?fucks?|dick ?heads?|shit ?heads?|fuck ?(face|wit|head)s?|son of a bitch|sons of bitches|douche(bag)?s?|scumbags?|jackass(es)?|wankers?|tossers?|twats?|pricks?)\b)", 0.7},
    {kToxicity, "insult-sexual", R"(\b(bitch(es|ass|y)?|b[i1]tch(es)?|biatch|sluts?|whores?|hoes|hoe ass|skanks?|thots?|slags?|slutty|whorish)\b)", 0.6},
    {kToxicity, "insult", R"(\b((you|ur|u|your|they|he|she|this|what an?|such an?|fucking|stupid|dumb|ugly|fat|total|complete|absolute) (are |re |is |all )?(an? )?(so )?(fucking |such an? )?(idiots?|morons?|imbeciles?|losers?|pigs?|trash|garbage|scum|clowns?|cowards?|pathetic|worthless|disgusting|stupid|dumb|ugly|braindead))\b)", 0.5},
    {kToxicity, "shut-up", R"(\b(shut (the (fuck|hell) )?up|stfu|gtfo|go to hell|rot in hell|burn in hell|eat shit|suck (my|a) (dick|cock|balls)|kiss my ass|screw you|piss off|fuck off|f off)\b)", 0.6},
    {kToxicity, "fuck-you", R"(\b(f+u+c*k+|f\*+c?k?|fck|phuck|fuk) +(you|u|your?|off|him|her|them|these|those|all|everyone)\b)", 0.75},
    // English: threats and harm
    {kToxicity, "threat", R"(\b((i|we)( wi)?ll (kill|murder|rape|shoot|stab|beat|hurt|find) (you|u|her|him|them)|gonna (kill|shoot|stab|beat|rape|murder) (you|u|her|him|them|ya)|(you|she|he|they) (deserves? to|should|must|needs? to) (die|be (shot|killed|raped|hanged|hung))|hope (you|he|she|they|u) (dies?|get (raped|shot|cancer|killed)))\b)", 0.8},
    {kToxicity, "self-harm-abuse", R"(\b(kill (your|ur)self|kys|go die|neck yourself|drink bleach|hang yourself)\b)", 0.85},
    {kToxicity, "sexual-violence", R"(\b(rape (you|her|him|them)|raping|deserved? to be raped|gang ?bang(ed)?)\b)", 0.7},
    // English: profanity; a single word of it is not abuse yet
    {kToxicity, "profanity-strong", R"(\b(fuck(s|ed|in|ing|er|ers)?|f[u\*@]ck\w*|fuckin|motherf\w+|cum(ming|shot)?|blowjobs?|cocks?|pussy|pussies|tits|titties|clit|jizz|wank)\b)", 0.45},
    {kToxicity, "profanity", R"(\b(shit(s|ty|ting)?|sh[i1]t|bullshit|bs|crap|damn|goddamn|ass|arse|piss(ed)?|bastards?|dicks?|balls deep|bollocks|wtf|hoe)\b)", 0.3},
    // Chinese: insults, slurs, threats, profanity
    {kToxicity, "zh-insult-strong", R"(傻[逼屄Bb比叉缺]|煞笔|沙比|沙雕东西|脑残|智障|弱智|贱[人货种逼]|婊子|骚[货逼]|人渣|败类|畜生|杂种|狗[杂娘]种?|王八蛋|龟孙|孙子养的|废物|垃圾东西|蠢[货猪驴]|白痴|变态狂|不要脸|死全家|全家死光|丧家犬|狗东西|狗日的|贱骨头)", 0.7},
    {kToxicity, "zh-profanity", R"(操[你他她它]|肏|草[你泥]马|艹|妈[的逼个]|他妈的?|特么的|尼玛|[你泥]妈[的逼死]|卧槽|我[操靠]|日[你他]|滚[蛋开犊]|去死|去你的|放屁|屁话|鸡巴|屌[丝你]|牛逼|装逼|逼样|[Tt][Mm][Dd]|[Nn][Mm][Ss][Ll]|[Cc][Nn][Mm]|[Ss][Bb]东西)", 0.5},
    {kToxicity, "zh-slur", R"(黑鬼|支那|小日本鬼子|鬼子|棒子|阿三|蛮子|尼哥|绿茶婊|死基佬|基佬|娘炮|死人妖|人妖|母狗|圣母婊|田园女权|乡巴佬|残废|死胖子|死肥[猪宅]|穆黑|绿绿)", 0.6},
    {kToxicity, "zh-threat", R"((杀了|弄死|砍死|打死|捅死|搞死|整死)[你他她您]|[你他她]([们]?)(都)?(该死|去死吧|怎么不去死)|强奸[你她]|(灭|杀)[你你]全家)", 0.8},

    // English: orders to drop what was said before
    {kPromptInjection, "ignore-instructions", R"(\b(ignore|disregard|forget|override|bypass|skip|discard|neglect|do not (follow|obey)|don'?t (follow|obey)|stop following)\b( \w+){0,5} (instructions?|prompts?|directions?|directives?|rules|guidelines|commands?|constraints|programming|training|context|messages?|conversation|guardrails|policies)\b)", 0.75},
    {kPromptInjection, "ignore-above", R"(\b(ignore|disregard|forget|discard)\b( (all|any|everything|of|the|that|what|you|were|told|said|previous(ly)?|prior|earlier|and|just))* (above|before|previous(ly)?|prior|preceding|earlier|previous text|so far)\b)", 0.7},
    {kPromptInjection, "new-instructions", R"(\b((here are|these are|follow|execute|obey) (your|my|the|these) (new|real|actual|updated|following secret) (instructions?|rules|orders|task)|(new|updated|real|important|additional|hidden) (system )?(instructions?|directives?|prompt) ?:|from (now|this point|this moment) on,? (you|ignore|respond|answer|act))\b?)", 0.55},
    {kPromptInjection, "instead", R"(\b(instead|rather)( of (that|this|answering|summariz\w+|the (above|task|question))),? (please )?(say|print|output|respond|reply|write|tell|return|do|execute)\b)", 0.5},
    {kPromptInjection, "task-switch", R"(\b(your (new|only|real|true) (task|goal|job|objective|purpose|role) (is|will be|now)|the (above|previous) (task|request|text|instructions?) (is|was|are|were) (fake|a test|cancell?ed|over|complete|irrelevant))\b)", 0.6},
    // English: another self
    {kPromptInjection, "dan", R"(\b(do anything now|dan mode|jailbroken|jail ?break (mode|prompt|yourself|the (ai|model|assistant))|developer mode|dev mode|god mode|sudo mode|debug mode (on|enabled)|unrestricted mode|evil ?bot|stan mode|aim mode|dude mode|maximum mode|always intelligent and machiavellian)\b)", 0.7},
    {kPromptInjection, "persona", R"(\b((you are|you're|you will be) (now|going to|no longer) (an? |act |be |my |the )?(unrestricted|unfiltered|uncensored|evil|amoral|free|dan|chatgpt|jailbroken|human|ai|assistant|bot|character|longer)|(pretend|imagine|roleplay|role-play|act) (to be|that you are|you are|you're|as if you|as though you|as) ?(were |are |have )?(an? |the )?(unrestricted|unfiltered|uncensored|evil|ai|dan|jailbroken|hacker|linux terminal|opposite|character|machine))\b)", 0.5},
    {kPromptInjection, "no-limits", R"(\b((without|no|free (of|from)|not bound by|no longer bound by|regardless of|ignoring) (any |all |the |your |usual |ethical |moral |typical )*(restrictions?|limitations?|filters?|filtering|censorship|ethic(s|al)( guidelines)?|morals?|moral (code|guidelines)|content polic(y|ies)|safety (guidelines|rules|protocols)|openai('s)? (policies|policy|guidelines))|uncensored (response|answer)s?|broken free (of|from) the (typical )?confines)\b)", 0.55},
    {kPromptInjection, "no-refusal", R"(\b((never|do not|don'?t|must not|cannot|can'?t|not allowed to|will not) (ever )?(refuse|decline|reject|say no|say you can'?t|apologi[sz]e|break character|mention (that )?you are an ai|add (any )?(warnings?|disclaimers?))|stay in character|(always|must) (comply|obey)|you (must|will|have to) (always )?(answer|comply|obey|agree|do whatever))\b)", 0.45},
    // English: secrets of the prompt, and data out
    {kPromptInjection, "reveal-prompt", R"(\b(reveal|print|show|output|repeat|display|tell me|give me|leak|share|what (is|are|was|were)|write (down|out)|copy|recite|return|expose)\b( \w+){0,4} (system prompt|initial prompt|hidden prompt|original prompt|secret (prompt|instructions|key|password)|(system|initial|hidden|original|your|prior|previous) (instructions|directives|prompt|configuration)|prompt above|text above|words above|everything above)\b)", 0.65},
    {kPromptInjection, "exfiltrate", R"(\b(send|post|upload|forward|exfiltrate|transmit|e-?mail)\b( \w+){0,6} (to|at|via) (https?://|(the|this|my) (webhook|attacker)|\w+@)|!\[[^\]]*\]\(https?://[^)]*\?[^)]*(=\{|=\[|data|prompt|secret|token|q=))", 0.6},
    // Any language: marks of chat templates where a text has no business to have them
    {kPromptInjection, "template-marks", R"(<\|(im_start|im_end|system|user|assistant|endoftext|start_header_id|eot_id)\|>|\[/?inst\]|<</?sys>>|<(start|end)_of_turn>|</?(system|system_prompt|instructions)>|^#{2,4} ?(system|instruction|new instructions?) ?:|^\(?(system|assistant|admin(istrator)?)( message| override| note)?\)? ?: )", 0.5},
    {kPromptInjection, "encoded-orders", R"(\b(decode (this|the following)( base64| rot13| hex)?( string| text| message)?( and| then)( \w+){0,2} (follow|execute|do|answer|obey|respond)|(base64|rot13|hex)[- ](encoded|decode)( \w+){0,4} (instructions?|commands?|prompt))\b)", 0.6},
    {kPromptInjection, "hypothetical", R"(\b(hypothetical(ly)? (response|answer|scenario)|in a (fictional|hypothetical|imaginary) (world|story|scenario) where( \w+){0,6} (no|without|illegal|rules|laws|ethics)|(two|both) (responses?|answers?|ways)( \w+){0,8} (chatgpt|gpt|normal|classic)|\[?🔓?(jailbreak|classic)\]?:)\b?)", 0.45},
    {kPromptInjection, "confirm-takeover", R"(\b((say|reply|respond|answer|output|print|write)( only| just| with| back)* ["'“]?(i have been pwned|pwned|hacked|owned|i am free|yes,? master|access granted|jailbroken)["'”]?)\b)", 0.7},
    // Chinese
    {kPromptInjection, "zh-ignore", R"((忽略|无视|忘记|忘掉|抛弃|不要(理会|遵守|遵循|管)|跳过|违反|取消|推翻|停止(遵守|遵循)|不再(遵守|遵循)).{0,12}(指令|指示|提示|规则|要求|设定|限制|约束|命令|内容|对话|准则|规定|任务|上文|一切))", 0.75},
    {kPromptInjection, "zh-persona", R"((从现在(开始|起)|现在)[,， ]?(你|请你)(将|要|就|必须|只)?(是|扮演|变成|作为|充当|没有)|你(现在|不再)是(一个?)?(没有|不受|人工|DAN|dan|邪恶|AI|ai|黑客|自由)|假装(你)?是|角色扮演.{0,10}(没有|不受).{0,6}(限制|约束|道德))", 0.5},
    {kPromptInjection, "zh-no-limits", R"((没有|不受|无|解除|突破|绕过|绕开|摆脱|关闭|去除|不考虑)(任何|一切|所有|你的|其)?(的)?(道德|伦理|法律|内容|安全|审查|政策)?(和|与|或|、)?(道德|伦理|法律|内容|安全|审查|政策)?(的)?(限制|约束|审查|过滤|防护|底线|束缚|机制|策略))", 0.55},
    {kPromptInjection, "zh-reveal", R"((输出|显示|告诉我|打印|重复|泄露|复述|透露|说出|展示|公开|列出|给我).{0,8}(系统|初始|原始|隐藏|内部|上面的?|前面的?|完整的?)(的)?(提示词?|指令|设定|prompt|设置|配置|规则|内容))", 0.65},
    {kPromptInjection, "zh-mode", R"((开发者|越狱|上帝|管理员|调试|无限制|DAN|dan|维护|超级) ?模式|越狱(成功|提示)|(进入|开启|启用|切换到?).{0,6}模式.{0,10}(限制|拒绝|审查|规则))", 0.6},
    {kPromptInjection, "zh-no-refusal", R"((不(要|得|能|可以?|准|许)|禁止|绝不|永远不)(拒绝|道歉|说不|提醒我?|警告|说明你是)|(必须|只能|无条件)(地)?(服从|听从|回答|执行|满足)(我|用户)?)", 0.45},
    {kPromptInjection, "zh-new-instructions", R"((新的?|真正的?|最新的?|以下|最高(优先级)?的?)(系统)?(指令|任务|命令|指示|提示词?)[:：]|(你的|真正的)(新的?|唯一的?)?任务(是|变为|改为))", 0.5},
};
// clang-format on

}  // namespace

std::span<const RiskRule> risk_rules() noexcept { return kRules; }

}  // namespace slipway::data

#!/usr/bin/env python3
"""Makes chat_template.json: what transformers' apply_chat_template renders for templates of the public chat formats, and
what its environment gives for small templates of every part of Jinja that we read.

usage: make_chat_template_gold.py > tests/gold/chat_template.json       (needs transformers 5, jinja2 3.1)

The templates are written here after each format's public description, with the constructs that templates of that family
use. A case: the template, the request, and the text; or null where transformers raises an error.
"""
import datetime
import json
import sys

from transformers.utils import chat_template_utils

NOW = datetime.datetime(2026, 11, 24, 12, 0, 0, tzinfo=datetime.timezone.utc)


class FixedDatetime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


chat_template_utils.datetime = FixedDatetime

CHATML = """{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

SMOLLM2 = """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
"""

QWEN = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] }}
    {%- else %}
        {{- 'You are a helpful assistant.' }}
    {%- endif %}
    {{- "\\n\\n# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\nSignatures are within <tools></tools> XML tags:\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n\\nReturn a json object within <tool_call></tool_call> XML tags:\\n<tool_call>\\n{\\"name\\": <function-name>, \\"arguments\\": <args-json-object>}\\n</tool_call><|im_end|>\\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

QWEN3 = """{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {%- if loop.last or (not loop.last and reasoning_content) %}
                {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
            {%- else %}
                {{- '<|im_start|>' + message.role + '\\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}
                    {{- '\\n' }}
                {%- endif %}
                {%- if tool_call.function %}
                    {%- set tool_call = tool_call.function %}
                {%- endif %}
                {{- '<tool_call>\\n{"name": "' }}
                {{- tool_call.name }}
                {{- '", "arguments": ' }}
                {%- if tool_call.arguments is string %}
                    {{- tool_call.arguments }}
                {%- else %}
                    {{- tool_call.arguments | tojson }}
                {%- endif %}
                {{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""

LLAMA2 = """{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"""

LLAMA3 = """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}

{#- This block extracts the system message, so we can slot it into the right place. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}

{#- System message #}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{%- if tools is not none and not tools_in_user_message %}
    {{- "You have access to the following functions.\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}

{%- if tools_in_user_message and not tools is none %}
    {%- if messages | length != 0 %}
        {%- set first_user_message = messages[0]['content']|trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("Cannot put tools in the first user message when there's no first user message!") }}
{%- endif %}
    {{- '<|start_header_id|>user<|end_header_id|>\\n\\n' -}}
    {{- "Given the following functions, please respond with a JSON for a function call.\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
    {{- first_user_message + "<|eot_id|>"}}
{%- endif %}

{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}

{#- This block checks for alternating user/assistant messages, skipping tool calling messages #}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, conversation roles must alternate user/assistant/user/assistant/...") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- else %}
                    {{- "]" }}
                {%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
            {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] [" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}
                {{- raise_exception("Tool call IDs should be alphanumeric strings with length 9!") }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {%- if not loop.last %}
                {{- ", " }}
            {%- else %}
                {{- "]" + eos_token }}
            {%- endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- elif message["role"] == "tool_results" or message["role"] == "tool" %}
        {%- if message.content is defined and message.content.content is defined %}
            {%- set content = message.content.content %}
        {%- else %}
            {%- set content = message.content %}
        {%- endif %}
        {{- '[TOOL_RESULTS] {"content": ' + content|string + ", " }}
        {{- '"call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}
"""

PHI3 = """{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\\n' + message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\\n' + message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\\n' + message['content'] + '<|end|>\\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"""

GEMMA = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}"""

GEMMA3 = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '

' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '

' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '
' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>
' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model
'}}
{%- endif -%}
"""

ZEPHYR = """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\\n'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""

# Macros that call themselves over a JSON schema, as templates that show tools as TypeScript or Python do.
MACROS = """{%- macro json_to_type(spec) -%}
  {%- set basic = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} -%}
  {%- if basic[spec.type] is defined -%}
    {{- basic[spec.type] -}}
  {%- elif spec.type == "array" -%}
    {{- "list[" + json_to_type(spec["items"]) + "]" -}}
  {%- elif spec.type == "object" -%}
    {%- if spec.additionalProperties is defined -%}
      {{- "dict[str, " + json_to_type(spec.additionalProperties) + ']' -}}
    {%- else -%}
      dict
    {%- endif -%}
  {%- elif spec.type is iterable and spec.type is not string -%}
    {{- "Union[" }}
    {%- for t in spec.type -%}
      {{- json_to_type({"type": t}) -}}
      {%- if not loop.last -%}{{- "," -}}{%- endif -%}
    {%- endfor -%}
    {{- "]" -}}
  {%- else -%}
    {{- "Any" -}}
  {%- endif -%}
{%- endmacro -%}
{%- for tool in tools %}
{%- set f = tool.function %}
def {{ f.name }}(
{%- for name, spec in f.parameters.properties.items() %}
  {{- name ~ ": " ~ json_to_type(spec) }}
  {%- if name not in f.parameters.required|default([]) %} = {{ spec.default | tojson if spec.default is defined else "None" }}{% endif %}
  {{- ", " if not loop.last else "" }}
{%- endfor -%}
):
    \"\"\"{{ f.description | trim | replace("\\n", " ") }}
{% if f.parameters.properties %}

    Args:
{% for name, spec in f.parameters.properties|dictsort %}
        {{ name }}: {{ (spec.description or "no description") | capitalize }}{{ "." if not (spec.description or "").endswith(".") }}
{% endfor %}
{% endif %}
    \"\"\"
{% endfor %}
{% for message in messages %}
[{{ loop.index }}/{{ loop.length }}] {{ message.role|upper }}: {{ message.content|default("(nothing)", true)|indent(2) }}
{% generation %}{{ message.role if message.role == 'assistant' }}{% endgeneration %}
{% endfor %}
"""

TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "The weather of a place.\nIn its unit.",
     "parameters": {"type": "object", "properties": {
         "location": {"type": "string", "description": "City, e.g. Zürich \U0001f3d4"},
         "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius", "description": "the unit."},
         "days": {"type": "array", "items": {"type": "integer"}}}, "required": ["location"]}}},
    {"type": "function", "function": {"name": "add", "description": "Adds <two> \"numbers\" & 'more'",
     "parameters": {"type": "object", "properties": {
         "a": {"type": ["number", "integer"], "description": "first"}, "b": {"type": "number", "default": 1.5},
         "opts": {"type": "object", "additionalProperties": {"type": "boolean"}}}, "required": ["a", "b"]},
     "return": {"type": "number"}}},
]
CALL = {"id": "abcdef123", "type": "function", "function": {"name": "get_weather",
        "arguments": {"location": "Zürich", "days": [1, 2], "exact": True, "more": None, "x": 1.0, "y": 1e-7}}}

PLAIN = [{"role": "user", "content": "Hello, who are you?"}]
SYSTEM = [{"role": "system", "content": " Be brief.\n"}, {"role": "user", "content": "  What is 2+2? "},
          {"role": "assistant", "content": " 4 "}, {"role": "user", "content": "And “3+3” — 中文? \U0001f600"}]
TOOLED = [{"role": "user", "content": "Weather?"}, {"role": "assistant", "content": None, "tool_calls": [CALL]},
          {"role": "tool", "tool_call_id": "abcdef123", "name": "get_weather", "content": "{\"t\": 21.5}"},
          {"role": "assistant", "content": "21.5 degrees."}, {"role": "user", "content": "Thanks"}]
THOUGHT = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "<think>\nhm\n</think>\n\nA"},
           {"role": "user", "content": "Q2"}, {"role": "assistant", "content": "B", "reasoning": "because"}]
PARTS = [{"role": "system", "content": [{"type": "text", "text": "S"}]},
         {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " look "}]}]
WRONG = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
EMPTY = []

FAMILIES = {"chatml": CHATML, "smollm2": SMOLLM2, "qwen2.5": QWEN, "qwen3": QWEN3, "llama-2": LLAMA2, "llama-3": LLAMA3,
            "mistral": MISTRAL, "phi-3": PHI3, "gemma": GEMMA, "gemma-3": GEMMA3, "zephyr": ZEPHYR, "macros": MACROS}
CHATS = {"plain": PLAIN, "system": SYSTEM, "tools": TOOLED, "thought": THOUGHT, "parts": PARTS, "wrong": WRONG, "empty": EMPTY}

# One construct a line: (template, extra variables).
DATA = {"s": " Straße ÉCOLE\tfoo  bar\n", "n": 7, "f": 2.5, "l": [3, 1, 2], "e": [], "d": {"b": 1, "a": [True, None, "x'y"]},
        "o": [{"n": "B", "v": 2, "k": {"z": 1}}, {"n": "a", "v": 1}, {"n": "C", "v": 2}], "t": True, "z": None,
        "html": "<a href='x'>&\"</a>", "items": {"items": 1}}
SNIPPETS = """{{ s|trim }}|{{ s.strip() }}|{{ s.lstrip() }}|{{ s.rstrip() }}|{{ s.upper() }}|{{ s.lower() }}|{{ s.title() }}|{{ s|title }}|{{ s|capitalize }}
{{ s.split() }}|{{ s.split(' ') }}|{{ s.split('o', 1) }}|{{ s.rsplit('o', 1) }}|{{ s.split(None, 1) }}|{{ s.splitlines() }}|{{ 'a,b,,c'.split(',')[-1] }}
{{ 'xxaxx'.strip('x') }}|{{ 'abc'.replace('b', 'BB') }}|{{ 'aaa'.replace('a', 'b', 2) }}|{{ 'ab'.replace('', '-') }}|{{ 'aaa'|replace('a', 'b') }}
{{ 'abc'.startswith('ab') }}|{{ 'abc'.endswith(('x', 'c')) }}|{{ 'abcabc'.find('c') }}|{{ 'abcabc'.rfind('c') }}|{{ 'aXbX'.count('X') }}|{{ 'é中x'.find('x') }}
{{ 'abc'[0] }}{{ 'abc'[-1] }}{{ 'héllo'[1:3] }}|{{ 'héllo'[::-1] }}|{{ 'héllo'[::2] }}|{{ 'abc'[5:] }}|{{ 'abc'[-2:] }}|{{ l[::-1] }}|{{ l[-2:] }}|{{ l[10:1:-1] }}|{{ 'abc'[9] }}
{{ d }}|{{ l }}|{{ o }}|{{ (1,) }}|{{ (1, 'a') }}|{{ {} }}|{{ [] }}|{{ [[], {}] }}|{{ "it's" }}|{{ ["it's", 'a"b', 'both\\'"', '\\n\\t\\x07é\\u200b'] }}
{{ n }}|{{ f }}|{{ t }}|{{ z }}|{{ 1e16 }}|{{ 1e15 }}|{{ 1e-5 }}|{{ 0.0001 }}|{{ 123456789.125 }}|{{ 1.0 }}|{{ 3 / 2 }}|{{ 4 / 2 }}|{{ 7 // 2 }}|{{ -7 // 2 }}|{{ -7 % 3 }}|{{ 2 ** 10 }}|{{ 7.5 // 2 }}|{{ 1_000 }}|{{ 0x1f }}
{{ 1 + 2 * 3 - 4 }}|{{ (1 + 2) * 3 }}|{{ -n + 1 }}|{{ 'a' * 3 }}|{{ [1] * 2 }}|{{ [1] + [2] }}|{{ 'a' ~ 1 ~ none ~ true ~ [1] ~ missing }}|{{ 1 ~ 2 + 3 ~ 4 }}
{{ 1 < 2 < 3 }}|{{ 1 < 2 > 3 }}|{{ 1 == 1.0 }}|{{ true == 1 }}|{{ 'a' < 'b' }}|{{ [1, 2] < [1, 3] }}|{{ 'a' in 'abc' }}|{{ 'x' not in 'abc' }}|{{ 'b' in d }}|{{ 2 in l }}|{{ none in e }}|{{ not t }}|{{ not 'a' in 'abc' }}
{{ 'yes' if t else 'no' }}|{{ 'yes' if e }}|{{ 'a' if false else 'b' if false else 'c' }}|{{ (e or 'empty') }}|{{ (l and 'full') }}|{{ missing or 'm' }}
{{ missing }}|{{ missing is defined }}|{{ d.zz is defined }}|{{ d.zz }}|{{ z is none }}|{{ missing is none }}|{{ d is mapping }}|{{ l is sequence }}|{{ 's' is string }}|{{ l is iterable }}|{{ d is sequence }}|{{ n is number }}|{{ t is boolean }}|{{ t is number }}|{{ n is integer }}|{{ f is float }}
{{ t is true }}|{{ 1 is true }}|{{ t is false }}|{{ n is odd }}|{{ n is even }}|{{ n is divisibleby 7 }}|{{ n is divisibleby(2) }}|{{ 'abc' is lower }}|{{ 'ABC' is upper }}|{{ n is eq 7 }}|{{ n is gt(3) }}|{{ n is not lessthan 3 }}|{{ 1 is in l }}|{{ z is sameas none }}|{{ range is callable }}|{{ 'trim' is filter }}|{{ 'nope' is filter }}|{{ 'odd' is test }}
{{ o|map(attribute='n')|join(', ') }}|{{ o|map(attribute='q', default='-')|list }}|{{ ['a', 'b']|map('upper')|join }}|{{ l|map('string')|list }}|{{ o[:1]|map(attribute='k.z')|first }}
{{ o|selectattr('v', 'equalto', 2)|map(attribute='n')|list }}|{{ o|selectattr('k')|list|length }}|{{ o|rejectattr('k', 'defined')|list|length }}|{{ l|select('gt', 1)|list }}|{{ l|reject('odd')|list }}|{{ [0, 1, '', 'x']|select|list }}|{{ 'yes' if e|select else 'no' }}
{{ l|sort }}|{{ l|sort(reverse=true) }}|{{ o|sort(attribute='n')|map(attribute='n')|join }}|{{ ['b', 'A', 'c']|sort }}|{{ ['b', 'A', 'c']|sort(case_sensitive=true) }}|{{ d|dictsort }}|{{ l|min }}{{ l|max }}{{ l|sum }}|{{ o|sum(attribute='v') }}|{{ o|sum(attribute='v', start=10) }}|{{ [1, 1, 2]|unique|list }}|{{ ['a', 'A']|unique|list }}
{{ l|first }}|{{ l|last }}|{{ e|first }}|{{ 'abc'|first }}|{{ 'abc'|last }}|{{ 'abc'|reverse }}|{{ l|reverse|list }}|{{ 'abc'|list }}|{{ d|list }}|{{ 'héllo'|length }}|{{ d|length }}|{{ missing|length }}|{{ l|count }}|{{ range(5)|batch(2)|list }}|{{ range(3)|batch(2, 'x')|list }}
{{ missing|default('D') }}|{{ ''|default('D') }}|{{ ''|default('D', true) }}|{{ none|default('D') }}|{{ none|d('D', boolean=true) }}|{{ '3'|int + 1 }}|{{ '3.7'|int }}|{{ 'x'|int }}|{{ 'x'|int(-1) }}|{{ '1f'|int(0, 16) }}|{{ '2.5'|float }}|{{ 'x'|float }}|{{ 3.999|int }}|{{ true|int }}|{{ -3|abs }}|{{ 2.567|round(2) }}|{{ 2.5|round }}|{{ 3.5|round }}|{{ 2.1|round(method='ceil') }}|{{ 7|round }}
{{ d|tojson }}|{{ o|tojson }}|{{ html|tojson }}|{{ s|tojson }}|{{ 'é\\u2028\\x01\\x7f"\\\\/'|tojson }}|{{ 'é\\U0001f600'|tojson(ensure_ascii=true) }}|{{ d|tojson(indent=2) }}|{{ {'a': {}, 'b': []}|tojson(indent=1) }}|{{ {'b': 1, 'a': 2}|tojson(sort_keys=true) }}|{{ [1, 2]|tojson(separators=(',', ':')) }}|{{ {1: 2, none: 3, true: 4}|tojson }}|{{ [1.0, 1e20, 0.1, -0.0]|tojson }}
{{ d.items()|list }}|{{ d.keys()|list }}|{{ d.values()|list }}|{{ d.get('b') }}|{{ d.get('q') }}|{{ d.get('q', 'dflt') }}|{{ d['b'] }}|{{ d.b }}|{{ d['a'][2] }}|{{ d.a.1 }}|{{ items['items'] }}|{{ d|items|list }}|{{ dict(a=1, b=2) }}|{{ dict(d, c=3)|length }}
{{ 'a\\nb\\n\\nc'|indent }}|{{ 'a\\nb'|indent(2, true) }}|{{ 'a\\n\\nb'|indent(2, blank=true) }}|{{ 'a\\nb'|indent('> ') }}|{{ html|e }}|{{ html|safe }}|{{ 'one two three four five'|truncate(12) }}|{{ 'one two three four'|truncate(9, true) }}|{{ 'one two three'|truncate(11, leeway=0) }}|{{ 'x'|center(5) }}|{{ 'one two-three'|wordcount }}
{{ '%s is %d and %.2f %5s|%-5s|%05d %%' % ('a', 3, 1.239, 'r', 'l', 42) }}|{{ '%s' % 'x' }}|{{ '%r' % 'x' }}|{{ '%s %s'|format('a', [1]) }}|{{ '%(k)s'|format(k='v') }}|{{ '{} {}'.format('a', 1) }}|{{ '{1}{0}{x}'.format('a', 'b', x='c') }}|{{ '{{}}'.format() }}
{{ '-'.join(['a', 'b']) }}|{{ [1, none, 'x']|join('-') }}|{{ o|join(',', attribute='n') }}|{{ 'a-b'.partition('-') }}|{{ 'ab'.zfill(4) }}|{{ '-5'.zfill(4) }}|{{ 'ab'.ljust(4, '.') }}|{{ 'ab'.rjust(4) }}|{{ 'abc'.center(6, '*') }}|{{ 'ab1'.isalnum() }}{{ '12'.isdigit() }}{{ 'ab'.isalpha() }}{{ ' '.isspace() }}{{ 'aB'.islower() }}|{{ 'prefix-x'.removeprefix('prefix-') }}|{{ 'ΑΣ ΣΑΣ'.lower() }}|{{ 'straße'|upper }}
{% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.cycle('x', 'y') }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.changed(i > 1) }};{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in 'héy' %}[{{ c }}]{% endfor %}{% for x in e %}x{% else %}none{% endfor %}{% for x in missing %}x{% else %}missing{% endfor %}{% for (a, b) in [(1, 2), [3, 4]] %}{{ a }}{{ b }}{% endfor %}
{% for i in range(10) if i is odd %}{{ i }}{% if loop.index == 3 %}{% break %}{% endif %}{% endfor %}|{% for i in range(5) %}{% if i == 2 %}{% continue %}{% endif %}{{ i }}{% endfor %}|{% for i in range(2, 10, 3) %}{{ i }}{% endfor %}|{{ range(3)|list }}|{% for i in range(3, 0, -1) %}{{ i }}{% endfor %}
{% for a in [1, 2] recursive %}{{ loop.depth }}{{ a }}{% if loop.depth < 3 %}({{ loop([a * 10, a * 20]) }}){% endif %}{% endfor %}
{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }}{% endfor %}|{{ x }}|{% if true %}{% set x = 9 %}{% endif %}{{ x }}|{% set ns = namespace(a=1, b=[]) %}{% for i in l %}{% set ns.a = ns.a + i %}{% set ns.b = ns.b + [i] %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c is defined }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}|{% set t2 = 1, 2 %}{{ t2 }}|{% set block %}in{{ n }}side{% endset %}{{ block }}|{% set up | upper %}abc{% endset %}{{ up }}|{% filter upper | trim %} abc {% endfilter %}|{% with q = 5, r = n %}{{ q }}{{ r }}{% endwith %}{{ q is defined }}
{% macro m(a, b='B', c=a) %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(a=1, b=2, c=3) }}{{ m() }}{{ m.name }}|{% macro v() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ v(1, 2, k=3) }}|{% macro w() %}<{{ caller() }}>{% endmacro %}{% call w() %}x{% endcall %}|{% macro u() %}{{ caller(1) }}{% endmacro %}{% call(p) u() %}{{ p + 1 }}{% endcall %}
{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}|{% macro g() %}{{ n }}{{ later }}{% endmacro %}{% set later = 'L' %}{{ g() }}|{{ m2 is defined }}
{% raw %}{{ not }} {% this %}{% endraw %}|{# a comment {{ x }} #}|{{ '{{' }}|{{ "a" "b" }}|{{ '\\u00e9\\x41\\101\\q\\'' }}|{{ {'a': {'b': 1}}.a.b }}|{{ [{'x': [1, 2]}][0].x[1] }}|{{ (1, 2)[0] }}|{{ ((1)) }}
{{ 'a' 'b'|upper }}|{{ 'x' ~ 'a'|upper }}|{{ -1|abs }}|{{ 'a' + 'b'|upper }}|{{ not e is defined }}|{{ 1 if n is defined and n else 2 }}|{{ l|length == 3 and t }}|{{ (l|length) - 1 }}|{{ n|string|length }}|{{ {'a': 1}|length }}
{{ d['missing']['x'] }}
{{ missing.x }}
{{ none.x }}
{{ none.x.y }}
{{ 'a' + 1 }}
{{ missing + 'a' }}
{{ l.append(4) }}
{{ d.update({}) }}
{{ 1 // 0 }}
{{ 'a' < 1 }}
{{ l|nope }}
{{ l is nope }}
{{ nope(1) }}
{{ 'x'() }}
{{ 1 in 5 }}
{{ 1 in 'a' }}
{{ missing|tojson }}
{{ (e|map('upper'))|length }}
{{ raise_exception('stop: ' ~ n) }}
{% set d.x = 1 %}
{% set ns = namespace() %}{% set ns._x = 1 %}
{% for a, b in [(1, 2, 3)] %}{% endfor %}
{% if %}{% endif %}
{% for x in l %}
{{ 'abc }}
{{ (1 }}
{{ 1 }
{% nope %}
{% endif %}
{% set true = 1 %}
{{ 1 | }}
{# never
{{ strftime_now('%Y-%m-%d %H %B %j') }}|{{ strftime_now("%d %b %Y") }}"""
SPACES = """  {% if t %}
    a
  {% endif %}
b

  {%- if t -%}

  c

  {%- endif +%}
 d
   {{ n }}
{{ n -}}

 e {% if t %} f {% endif %} g
	{# comment #}
h {# c #}
  {%+ if t %}i{% endif %}
  {#- x -#}
 j
{% raw %}
  {{ k }}
  {% endraw %}
l
{% set x = 1 %}

{%- for i in [1, 2] %}
  {{ i }},
{%- endfor %}

{% for i in [1, 2] -%}
  {{ i }}
{% endfor -%}
end
"""


def render(template, **variables):
    try:
        text, _ = chat_template_utils.render_jinja_template(chat_template=template, **variables)
        return text[0] if isinstance(text, list) else text
    except Exception:  # noqa: BLE001  (any refusal is a refusal)
        return None


cases = []
for family, template in FAMILIES.items():
    for chat, messages in CHATS.items():
        for tools in [None, TOOLS]:
            for prompt in [True, False]:
                extra = {"bos_token": "<s>", "eos_token": "</s>"}
                if family == "qwen3" and tools:
                    extra["enable_thinking"] = False
                if family == "llama-3" and not prompt:
                    extra["tools_in_user_message"] = False
                text = render(template, conversations=[messages], tools=tools, add_generation_prompt=prompt, **extra)
                cases.append({"name": f"{family}/{chat}{'/with tools' if tools else ''}{'/prompt' if prompt else ''}",
                              "template": family, "messages": chat, "tools": bool(tools), "prompt": prompt, "extra": extra,
                              "text": text})
snippets = [{"template": t, "text": render(t, conversations=[PLAIN], **DATA)}
            for t in [*SNIPPETS.split("\n"), SPACES, SPACES + "\n", SPACES.replace("\n", "\r\n"), "", "\n", "a\n", "a\n\n"]]
json.dump({"unix_ms": int(NOW.timestamp() * 1000), "templates": FAMILIES, "chats": CHATS, "tools": TOOLS, "data": DATA,
           "cases": cases, "snippets": snippets}, sys.stdout, ensure_ascii=False, separators=(",", ":"))
print()

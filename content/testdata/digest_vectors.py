#!/usr/bin/env python3
"""Writes digest-vectors.json, and the vectors in docs/digest.md.

An implementation of docs/digest.md that shares nothing with the Go one: what
the Go tests compare with was computed here. Run it from anywhere; it needs
nothing but Python 3.
"""

import hashlib
import json
import pathlib

HERE = pathlib.Path(__file__).parent
DOC = HERE.parent.parent / "docs" / "digest.md"


def number(x):
    x = float(x)
    if x == 0:
        return "0"
    sign, x = ("-", -x) if x < 0 else ("", x)
    mantissa, _, exponent = f"{x!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0)  # value = 0.digits * 10^point, once leading zeros are gone
    point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    k = len(digits)
    if k <= point <= 21:
        s = digits + "0" * (point - k)
    elif 0 < point <= 21:
        s = digits[:point] + "." + digits[point:]
    elif -6 < point <= 0:
        s = "0." + "0" * -point + digits
    else:
        e = point - 1
        s = digits[0] + ("." + digits[1:] if k > 1 else "") + "e" + ("+" if e > 0 else "-") + str(abs(e))
    return sign + s


def canonical(v):
    if isinstance(v, dict):
        keys = sorted(v, key=lambda k: k.encode("utf-16-be"))
        return "{" + ",".join(canonical(k) + ":" + canonical(v[k]) for k in keys) + "}"
    if isinstance(v, list):
        return "[" + ",".join(map(canonical, v)) + "]"
    if isinstance(v, str):
        return json.dumps(v, ensure_ascii=False)
    if v is True or v is False or v is None:
        return {True: "true", False: "false", None: "null"}[v]
    return number(v)


def content(given):
    kind = "chat" if "messages" in given else "text"
    member = "messages" if kind == "chat" else "text"
    return canonical({
        "config": given.get("config", {}),
        "template": given.get("template", "{{}}"),
        member: given[member],
        "type": kind,
    })


# (name, what it shows, the content as somebody may write it)
VECTORS = [
    ("smallest", "A text and nothing else. Config, template and type are in the canonical form though they were not given.",
     r'{"text":"Hello"}'),
    ("spelled-out", "The same with the defaults written out and the members in another order: the same digest as smallest.",
     r'{ "type": "text", "template": "{{}}", "text": "Hello", "config": {} }'),
    ("template-none", "The template setting is part of the content.",
     r'{"text":"Hello","template":"none"}'),
    ("variables", "A variable is text; the list of variables is not part of the canonical form.",
     r'{"text":"Hello {{name}}, {{ name }}"}'),
    ("white-space", "A text is kept byte for byte, with white space at its ends, CR LF and tabs.",
     r'{"text":"  a\r\n\tb  \n"}'),
    ("escapes", "Quotation mark, backslash and what is below U+0020 are escaped, the solidus and U+007F are not.",
     r'{"text":"\u0022\u005c\/\u0008\u0009\u000a\u000c\u000d\u0001\u001F\u007f"}'),
    ("no-other-escapes", "<, >, &, U+2028, U+2029 and U+FEFF are written as they are.",
     r'{"text":"<b>&\u2028\u2029\ufeff</b>"}'),
    ("not-normalized", "Precomposed and combining characters stay as they are: these two letters are different texts.",
     r'{"text":"\u00e9 e\u0301"}'),
    ("beyond-the-bmp", "A surrogate pair in JSON is one character, four bytes of UTF-8.",
     r'{"text":"\ud83d\ude00 \u4f60\u597d"}'),
    ("config-order", "Keys are sorted by UTF-16 code units (the example of RFC 8785, 3.2.3): U+1F600 comes before U+FB33.",
     r'{"text":"x","config":{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}}'),
    ("config-numbers", "Numbers are doubles, written as ECMAScript does.",
     r'{"text":"x","config":{"n":[0,-0,-0.0,1.0,1e0,100,1E3,0.1,0.10,1e-6,1e-7,0.000001234,333333333.33333329,4.50,2e-3,5e-324,9007199254740992,-9007199254740992.0,123456789012345680e-2]}}'),
    ("config-nested", "Config may be any JSON object; inner objects are sorted too, lists are not.",
     r'{"text":"x","config":{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","required":["b","a"],"properties":{"b":{},"a":{"type":["string","null"]}}}}}],"model":"m","stream":false,"seed":null}}'),
    ("chat", "Two messages. Their keys are sorted as well.",
     r'{"messages":[{"role":"system","content":"You are {{tone}}."},{"role":"user","content":""}]}'),
    ("chat-parts", "Parts, and members that stet does not know.",
     r'{"type":"chat","messages":[{"role":"user","name":"ana","content":[{"type":"text","text":"What is this?","cache_control":{"type":"ephemeral"}},{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]}'),
    ("chat-placeholder", "A placeholder, and a config.",
     r'{"messages":[{"role":"system","content":"Be brief."},{"type":"placeholder","name":"history"},{"role":"user","content":"{{question}}"}],"config":{"temperature":0.70,"max_tokens":256}}'),
]

# (name, code, the content): what has no digest.
REFUSED = [
    ("both", "invalid", r'{"text":"a","messages":[{"role":"user","content":"a"}]}'),
    ("neither", "invalid", r'{"config":{}}'),
    ("empty-text", "invalid", r'{"text":""}'),
    ("white-space-only", "invalid", r'{"text":" \n\u00a0\u3000"}'),
    ("empty-messages", "invalid", r'{"messages":[]}'),
    ("nul-in-text", "invalid", r'{"text":"a\u0000"}'),
    ("nul-in-key", "invalid", r'{"text":"a","config":{"\u0000":1}}'),
    ("unpaired-surrogate", "invalid", r'{"text":"a","config":{"a":"\ud800"}}'),
    ("integer-beyond-2-53", "invalid", r'{"text":"a","config":{"seed":9007199254740993}}'),
    ("number-beyond-2-53", "invalid", r'{"text":"a","config":{"n":1e300}}'),
    ("overflow", "invalid", r'{"text":"a","config":{"n":-1e999}}'),
    ("duplicate-key", "invalid", r'{"text":"a","config":{"a":1,"\u0061":1}}'),
    ("config-list", "invalid", r'{"text":"a","config":[]}'),
    ("too-deep", "invalid", '{"text":"a","config":{"a":' + "[" * 64 + "]" * 64 + "}}"),
    ("unknown-template", "invalid", r'{"text":"a","template":"jinja"}'),
    ("unknown-type", "invalid", r'{"text":"a","type":"code"}'),
    ("no-role", "invalid", r'{"messages":[{"content":"a"}]}'),
    ("no-content", "invalid", r'{"messages":[{"role":"user"}]}'),
]


def main():
    vectors, doc = [], []
    for name, note, given in VECTORS:
        c = content(json.loads(given))
        digest = "sha256:" + hashlib.sha256(c.encode()).hexdigest()
        vectors.append({"name": name, "note": note, "input": given, "canonical": c, "digest": digest})
        doc.append(f"**{name}.** {note}\n\n```json\n{given}\n```\n\n`{digest}`, {len(c.encode())} bytes\n")
    refused = [{"name": n, "code": code, "input": given} for n, code, given in REFUSED]
    (HERE / "digest-vectors.json").write_text(
        json.dumps({"vectors": vectors, "refused": refused}, indent=1) + "\n")
    if DOC.exists():
        begin, end = "<!-- vectors: written by content/testdata/digest_vectors.py -->\n", "<!-- end of vectors -->\n"
        text = DOC.read_text()
        head, rest = text.split(begin)
        DOC.write_text(head + begin + "\n" + "\n".join(doc) + "\n" + end + rest.split(end)[1])


if __name__ == "__main__":
    main()

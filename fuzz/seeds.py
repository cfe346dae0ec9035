#!/usr/bin/env python3
"""First corpora for the fuzz targets, from the inputs of the conformance suites: seeds.py FOLDER."""

import hashlib
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CASES = os.path.join(ROOT, "tests", "conformance")

#: Longest seed; longer inputs slow a fuzzer down and tell it little.
LONGEST = 8192

FILTERS = [
    'Status == running', 'ID != "a" and Name == `b`', '"dc1" in Datacenters', 'not (Meta.a == "1" or Priority == 50)',
    'Meta is not empty', 'Name matches "^w"', 'TaskGroups contains "x"', 'Meta["a"] == 1', 'any Datacenters as d { d == "dc1" }',
]
TEMPLATES = [
    '{{.ID}}', '{{range .TaskGroups}}{{.Name}}{{"\\n"}}{{end}}', '{{if eq .Type "service"}}a{{else}}b{{end}}',
    '{{with $x := .Meta}}{{index $x "a"}}{{end}}', '{{printf "%-5s|%05d" .Name .Priority}}', '{{define "t"}}{{.}}{{end}}{{template "t" .ID}}',
    '{{.ID | len}}', '{{/* c */}}{{- .Name -}}', '{{sprig_upper .ID}}', '{{slice .ID 1 2}}', '{{range $i, $e := .Datacenters}}{{$i}}{{$e}}{{break}}{{end}}',
]
CRONS = ['* * * * *', '*/15 0 1-5 JAN,mar MON-fri\nEurope/Berlin', '@daily', '0 0 L * *', '0 0 15W * *', '0 0 * * 5L', '0 0 * * 2#3',
         '0 30 2 29 2 * 2024-2099\nAmerica/New_York', '@every 5m', '0 0 LW * ?']


def files(*suffixes):
    for folder, _, names in sorted(os.walk(CASES)):
        for name in sorted(names):
            if name.endswith(suffixes):
                with open(os.path.join(folder, name), "rb") as file:
                    yield file.read()


def expressions():
    for text in files(".table"):
        for block in re.split(rb"^[sc]?> ", text, flags=re.M)[1:]:
            lines = block.split(b"\n")
            yield b"\n".join([lines[0]] + [line[2:] for line in lines[1:] if line.startswith(b"| ")])


def corpora():
    native = [t for t in files(".nomad.hcl", ".hcl") if len(t) <= LONGEST]
    asked = list(expressions())
    jobs = [t for t in files(".api.json", ".canonical.json")]
    return {
        "lexer": native + asked,
        "parser": native + asked,
        "evaluator": asked,
        "decoder": native,
        "formatter": native,
        "hcl_json": list(files(".hcl.json")) + [b'"' + e.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"' for e in asked[::4]],
        "hcl1": list(files(".hcl1")) + native,
        "json": jobs,
        "msgpack": [b"\x80", b"\x81\xa2ID\xa1a", b"\x82\xa4Name\xa1b\xaaTaskGroups\x91\x81\xa4Name\xa1g", b"\x81\xa4Meta\x81\xa1a\xa1b"],
        "bexpr": [t.encode() for t in FILTERS],
        "gotemplate": [t.encode() for t in TEMPLATES],
        "cron": [t.encode() for t in CRONS],
    }


def main():
    for target, texts in corpora().items():
        folder = os.path.join(sys.argv[1], target)
        os.makedirs(folder, exist_ok=True)
        for text in texts:
            if len(text) <= LONGEST:
                with open(os.path.join(folder, hashlib.sha1(text).hexdigest()[:16]), "wb") as file:
                    file.write(text)


if __name__ == "__main__":
    main()

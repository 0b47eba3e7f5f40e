#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""mermaid.py LIBRARY DOCUMENT [LABEL]...: Mermaid itself, in Chromium, reads the document and draws it,
and each label is in the drawing as it is given here, as text. Ends with 1 and what is wrong where one
of that does not hold, with 77 where Chromium is not installed."""

import json
import sys
import tempfile
from pathlib import Path

from browser import Browser

PAGE = """<!doctype html><meta charset="utf-8"><title>untouched</title><body>
<script src="file://{}"></script>
<script>mermaid.initialize({{ startOnLoad: false, maxTextSize: 1000000, maxEdges: 10000 }});</script>
"""
DRAW = """(async () => {{
    try {{
        const kind = await mermaid.parse({0});
        const drawn = await mermaid.render("drawing", {0});
        const page = new DOMParser().parseFromString(drawn.svg, "text/html");
        page.querySelectorAll("style, script").forEach(part => part.remove());
        page.querySelectorAll("br").forEach(part => part.replaceWith("\\n"));
        return {{ kind: kind.diagramType, text: page.body.textContent, title: document.title,
                  strange: page.querySelectorAll("b, i, em, strong, img, a, code").length }};
    }} catch (error) {{
        return {{ wrong: String(error.message ?? error) }};
    }}
}})()"""


def problem(drawn, labels):
    if "wrong" in drawn:
        return drawn["wrong"].splitlines()[0]
    if not drawn["kind"].startswith("flowchart"):
        return f"it is no flowchart but {drawn['kind']}"
    if drawn["strange"] or drawn["title"] != "untouched":
        return "a name has become a part of the page"
    missing = [label for label in labels if label not in drawn["text"]]
    return f"{missing} not in {drawn['text']}" if missing else None


def main(library, document, labels):
    try:
        browser = Browser()
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 77
    with browser, tempfile.NamedTemporaryFile("w", suffix=".html") as page:
        page.write(PAGE.format(Path(library).resolve()))
        page.flush()
        browser.open(page.name)
        browser.wait("document.title == 'untouched' && typeof mermaid == 'object'")
        text = json.dumps(Path(document).read_text(encoding="utf-8"))
        wrong = problem(browser.run(DRAW.format(text)), labels)
    if wrong is not None:
        print(wrong)
    return 0 if wrong is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))

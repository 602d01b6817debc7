"""Words of the glossary become links where a lesson first uses them (floor 7)."""

import re

EVERYDAY = frozenset(
    ["agreement", "arm", "branch", "claim", "distortion", "flicker", "gain", "gate", "hint", "instability", "leak"]
    + ["overlap", "pull", "reach", "scale", "spread", "student", "tap", "teacher", "temperature", "tile"]
)
"""Words that are also used in another sense: they are linked only where a lesson writes ``{term}``."""
PROTECTED = re.compile(
    r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]+\$|!?\[[^\]]*\]\([^)]*\)|\{[\w:-]+\}`[^`]*`|<summary>.*?</summary>"
    r"|<[^>\n]+>|^#+ [^\n]*$|https?://\S+",
    re.DOTALL | re.MULTILINE,
)
ROLE = re.compile(r"\{term\}`([^`<]+?)(?:\s*<([^`>]+)>)?`")


def glossary(text: str) -> list[str]:
    """The terms of a glossary's Markdown."""
    inside = text.partition("```{glossary}")[2].partition("```")[0] if "```{glossary}" in text else ""
    return [line.strip() for line in inside.splitlines() if line and not line[0].isspace()]


def link_terms(text: str, terms: list[str], seen: set[str]) -> str:
    """Markdown with the ``{term}`` role around the first use of each term that is not in ``seen``, which grows.

    Code, formulas, links, headings and HTML are left alone; a plural with s is a use.
    """
    seen |= {(term or shown).strip() for shown, term in ROLE.findall(text)}
    for term in sorted(terms, key=len, reverse=True):
        if term in seen or term in EVERYDAY:
            continue
        head = f"[{term[0].upper()}{term[0].lower()}]" + re.escape(term[1:])
        use = re.compile(rf"(?<![\w-]){head}s?(?![\w-])")
        start = 0
        for kept in [*((found.start(), found.end()) for found in PROTECTED.finditer(text)), (len(text), len(text))]:
            found = use.search(text, start, kept[0])
            if found:
                shown = found[0] if found[0] == term else f"{found[0]} <{term}>"
                text = f"{text[: found.start()]}{{term}}`{shown}`{text[found.end() :]}"
                seen.add(term)
                break
            start = kept[1]
    return text


def without_roles(text: str) -> str:
    """Markdown for where no book is around: a term is its word."""
    return ROLE.sub(lambda found: found[1], text)

#!/usr/bin/env python3
"""Makes daemon/record/*_table.c from data/catalogue and data/codelists.

    tools/generate_catalogue.py           writes the tables
    tools/generate_catalogue.py --check   fails when a table is not what the data give

The tables are checked in, so that building needs no Python; the suite runs --check.
"""
import csv
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = """/* Made by tools/generate_catalogue.py from data/; change the data, not this file. */
#include "record/%s"

/* clang-format off */
"""
INSTRUMENTS = ["UNTOC", "TIP", "SOM", "FA"]
REGIONS = ["AFRICA", "ASIA_PACIFIC", "EASTERN_EUROPE", "GRULAC", "WEOG"]
SDMX_LISTS = ["FREQ", "OBS_STATUS", "CONF_STATUS", "UNIT_MULT", "DECIMALS"]


def rows(name):
    with open(ROOT / "data" / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def article_table():
    clusters = {}
    for row in rows("catalogue/clusters.csv"):
        for article in row["articles"].split():
            # An article that stands in two clusters keeps the first: it is reviewed there first.
            clusters.setdefault((row["instrument"], int(article)), row["cluster"])
    out = HEAD % "catalogue_table.h"
    for instrument in INSTRUMENTS:
        mine = [r for r in rows("catalogue/articles.csv") if r["instrument"] == instrument]
        assert [int(r["article"]) for r in mine] == list(range(1, len(mine) + 1)), instrument
        out += f"static const struct article_entry articles_{instrument.lower()}[] = {{\n"
        for row in mine:
            cluster = clusters.get((instrument, int(row["article"])), "0")
            out += f"    {{ {cluster}, {quoted(row['title'])} }},\n"
        out += "};\n"
    out += "const struct article_list ARTICLE_LISTS[INSTRUMENT_COUNT] = {\n"
    for instrument in INSTRUMENTS:
        name = f"articles_{instrument.lower()}"
        out += f"    [INSTRUMENT_{instrument}] = {{ {name}, sizeof({name}) / sizeof({name}[0]) }},\n"
    return out + "};\n"


def area_table():
    regions = {r["iso2"]: r["group"] for r in rows("catalogue/regional_groups.csv")}
    areas = sorted(rows("catalogue/areas.csv"), key=lambda r: r["alpha2"])
    known = {r["alpha2"] for r in areas}
    assert set(regions) <= known and all(r["parent"] in known | {""} for r in areas)
    out = HEAD % "catalogue_table.h"
    out += "const struct area AREA_TABLE[] = {\n"
    for row in areas:
        region = regions.get(row["alpha2"], "NONE")
        out += (f"    {{ {quoted(row['alpha2'])}, {quoted(row['alpha3'])}, {quoted(row['parent'])}, "
                f"{int(row['m49'])}, REGION_{region}, {quoted(row['name'])} }},\n")
    return out + "};\nconst size_t AREA_TABLE_COUNT = sizeof(AREA_TABLE) / sizeof(AREA_TABLE[0]);\n"


def code_table():
    lists = {}
    for name in SDMX_LISTS:
        entries = [(r["id"], r["name"]) for r in rows(f"codelists/CL_{name}.csv")]
        if name == "FREQ":  # the frequencies that the structures use
            entries = [e for e in entries if e[0] in ("A", "S", "Q", "M")]
        lists["CL_" + name] = entries
    for row in rows("catalogue/codes.csv"):
        lists.setdefault(row["list"], []).append((row["code"], row["name"]))
    out = HEAD % "catalogue_table.h"
    for name, entries in lists.items():
        assert len({code for code, _ in entries}) == len(entries), name
        out += f"static const struct codelist_entry {name.lower()}[] = {{\n"
        out += "".join(f"    {{ {quoted(c)}, {quoted(n)} }},\n" for c, n in entries)
        out += f"}};\nconst struct code_table {name} = {{ {name.lower()}, {len(entries)} }};\n"
    return out


def main():
    check = sys.argv[1:] == ["--check"]
    stale = []
    for name, make in (("article_table.c", article_table), ("area_table.c", area_table),
                       ("code_table.c", code_table)):
        path, text = ROOT / "daemon/record" / name, make()
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        sys.exit("stale: " + " ".join(stale) + "; next: run tools/generate_catalogue.py")


main()

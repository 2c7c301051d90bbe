#!/usr/bin/env python3
"""Makes data/statistics/*.csv (SDMX-CSV 2.0) from the tables in data/source.

    tools/convert_figures.py            writes the files
    tools/convert_figures.py --check    fails when a file is not what the sources give

Only what the sources say is written: an empty cell gives no row.  How each column of a source was
read stands in the tables below; a note of the source goes into COMMENT_OBS.
"""
import csv
import io
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "data" / "source"
TARGET = ROOT / "data" / "statistics"
DIMENSIONS = ["FREQ", "REF_AREA", "COUNTERPART_AREA", "DIRECTION", "COOP_TYPE", "ASSIST_TYPE",
              "LEGAL_BASIS", "OFFENCE", "INDICATOR", "REASON", "PROCEDURE", "COHORT",
              "UNIT_MEASURE", "TIME_PERIOD"]
ATTRIBUTES = ["OBS_STATUS", "COMMENT_OBS", "NATIONAL_TERM", "COVERAGE", "SOURCE_AUTH", "TITLE"]
ALPHA3 = {row["alpha3"]: row["alpha2"] for row in
          csv.DictReader(open(ROOT / "data/catalogue/areas.csv", encoding="utf-8", newline=""))}


def rows(name):
    with open(SOURCE / name, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


def figure(area, period, value, **more):
    """One observation; what is not said is "all" or "not applicable"."""
    row = dict(FREQ="A", REF_AREA=area, COUNTERPART_AREA="_T", DIRECTION="_T", COOP_TYPE="_T",
               ASSIST_TYPE="_Z", LEGAL_BASIS="_T", OFFENCE="_T", INDICATOR="NEW", REASON="_Z",
               PROCEDURE="_T", COHORT="FLOW", UNIT_MEASURE="REQ", TIME_PERIOD=period,
               OBS_VALUE=value, OBS_STATUS="A")
    row.update(more)
    return row


def write(figures):
    used = [a for a in ATTRIBUTES if any(f.get(a) for f in figures)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["STRUCTURE", "STRUCTURE_ID", "ACTION"] + DIMENSIONS + ["OBS_VALUE"] + used)
    for f in sorted(figures, key=lambda f: (f["TIME_PERIOD"], [f[d] for d in DIMENSIONS])):
        writer.writerow(["dataflow", "COMITY:DF_INTCOOP(1.0.0)", "I"] +
                        [f[d] for d in DIMENSIONS] + [f["OBS_VALUE"]] + [f.get(a, "") for a in used])
    return out.getvalue()


def fiscal(year_text, start):
    """2012-13 and a month and day: the year that begins then."""
    return f"{year_text[:4]}-{start}/P1Y"


# Columns of the Australian table of requests: indicator, procedure, cohort.
AU_COLUMNS = {
    "opening": ("OPEN", "_T", "STOCK", "_Z"),
    "new": ("NEW", "_T", "FLOW", "_Z"),
    "granted": ("GRANT", "_T", "FLOW", "_Z"),
    "withdrawn": ("WITHDR", "_T", "FLOW", "_Z"),
    "refused_executive": ("REFUSE", "EXEC", "FLOW", "_T"),
    "refused_court": ("REFUSE", "COURT", "FLOW", "_T"),
    "refused_unspecified": ("REFUSE", "_T", "FLOW", "_T"),
    "otherwise_finalised": ("OTHFIN", "_T", "FLOW", "_Z"),
    "closing": ("CLOSE", "_T", "STOCK", "_Z"),
}
AU = dict(SOURCE_AUTH="Attorney-General's Department")


def au_extradition():
    out = []
    for row in rows("australia_agd_extradition_stockflow.csv"):
        period = row["period_start"] + "/P1Y"
        for column, (indicator, procedure, cohort, reason) in AU_COLUMNS.items():
            if row[column] == "":
                continue
            note = row["note"] if column in ("opening", "closing") else ""
            out.append(figure("AU", period, row[column], DIRECTION=row["direction"],
                              COOP_TYPE="EXTR", INDICATOR=indicator, PROCEDURE=procedure,
                              COHORT=cohort, REASON=reason, COMMENT_OBS=note,
                              TITLE="Extradition requests", **AU))
    for row in rows("australia_agd_granted_by_counterpart.csv"):
        out.append(figure("AU", row["period_start"] + "/P1Y", row["granted"],
                          COUNTERPART_AREA=ALPHA3[row["counterpart"]], DIRECTION=row["direction"],
                          COOP_TYPE="EXTR", INDICATOR="GRANT", TITLE="Extradition requests", **AU))
    return out


def au_mutual_assistance():
    out = []
    for row in rows("australia_agd_other.csv"):
        period = fiscal(row["period"], "07-01")
        if row["measure"] == "MLA_REQUESTS":
            more = dict(COOP_TYPE="MLA", DIRECTION=row["direction"], ASSIST_TYPE="_T")
        else:
            sent = row["direction"] == "OUT_OF_AUS"
            more = dict(COOP_TYPE="TSP", DIRECTION="SENT" if sent else "ADMIN", OFFENCE="_T",
                        UNIT_MEASURE="APPL", NATIONAL_TERM="international transfer of prisoners")
        out.append(figure("AU", period, row["value"], COMMENT_OBS=row["source"],
                          TITLE="Mutual assistance and transfer of prisoners", **more,
                          SOURCE_AUTH=AU["SOURCE_AUTH"] + ", assistance and transfers"))
    return out


GB_MEASURES = {
    "REQUESTS_MADE": ("NEW", "REQ", "_Z"), "REQUESTS_RECEIVED": ("NEW", "REQ", "_Z"),
    "PERSONS_SURRENDERED": ("SURREND", "PERS", "_Z"), "GRANTED": ("GRANT", "REQ", "_Z"),
    "REFUSED": ("REFUSE", "REQ", "_T"), "WITHDRAWN": ("WITHDR", "REQ", "_Z"),
}
GB_AREAS = {"W_XIRL": "G_W_XIE", "EU": "G_EU", "NON_EU": "G_W_XEU"}
GB_COVERAGE = {"ENG+WLS": "England and Wales", "ENG+WLS+NIR": "England, Wales and Northern Ireland",
               "GBR": "United Kingdom"}


def gb_extradition():
    out = []
    for row in rows("uk_hansard_extradition.csv"):
        eaw = row["request_type"] == "EAW"
        period = row["period"].replace("-04/", "-04-01/") if eaw else row["period"]
        indicator, unit, reason = GB_MEASURES[row["measure"]]
        out.append(figure("GB", period, row["value"], COUNTERPART_AREA=GB_AREAS[row["counterpart"]],
                          DIRECTION=row["direction"], COOP_TYPE="SURR" if eaw else "EXTR",
                          LEGAL_BASIS="REG" if eaw else "_T", INDICATOR=indicator, REASON=reason,
                          UNIT_MEASURE=unit, COMMENT_OBS=row["note"],
                          COVERAGE=GB_COVERAGE[row["territory"]], SOURCE_AUTH="Home Office",
                          NATIONAL_TERM="European arrest warrant" if eaw else "",
                          TITLE="Surrender" if eaw else "Extradition"))
    return out


def gb_surrender_by_state():
    out = []
    for row in rows("uk_eaw_surrenders_to_uk_by_state.csv"):
        area = "G_EU_GI" if row["counterpart"] == "TOTAL" else ALPHA3.get(row["counterpart"])
        if area is None:  # a former code, total only
            continue
        for year in ("2009-10", "2010-11", "2011-12", "2012-13", "2013-14"):
            if row[year] != "":
                out.append(figure("GB", fiscal(year, "04-01"), row[year], COUNTERPART_AREA=area,
                                  DIRECTION="OUT", COOP_TYPE="SURR", LEGAL_BASIS="REG",
                                  INDICATOR="SURREND", UNIT_MEASURE="PERS",
                                  NATIONAL_TERM="European arrest warrant, Part 3",
                                  COVERAGE="without Scotland",
                                  SOURCE_AUTH="Home Office, by State",
                                  TITLE="Persons surrendered to the United Kingdom"))
    return out


IE_MEASURES = {
    "REQUESTS_RECEIVED": ("NEW", "FLOW"), "REQUESTS_ISSUED": ("NEW", "FLOW"),
    "ENDORSED": ("ADMIT", "FLOW"), "SURRENDERED": ("SURREND", "FLOW"),
    "PENDING": ("CLOSE", "STOCK"), "WARRANTS_RESULTING_IN_SURRENDER": ("GRANT", "FLOW"),
}


def ie_surrender():
    out = []
    for row in rows("ireland_eaw.csv"):
        measure, area = row["measure"], "_T"
        for joint in ("_FROM_", "_TO_", "_BY_"):
            if joint in measure:
                measure, alpha3 = measure.split(joint)
                area = ALPHA3[alpha3]
        indicator, cohort = IE_MEASURES[measure]
        note = "" if row["source"] == "same" else row["source"]
        if measure == "PENDING" and "35 of them" in row["source"]:
            note = "35 of them transmitted 2004-2007"
        out.append(figure("IE", row["period"][:4], row["value"], COUNTERPART_AREA=area,
                          DIRECTION=row["direction"], COOP_TYPE="SURR", LEGAL_BASIS="REG",
                          INDICATOR=indicator, COHORT=cohort, COMMENT_OBS=note,
                          UNIT_MEASURE="WARR" if row["unit"] == "WARRANTS" else "PERS",
                          NATIONAL_TERM="European arrest warrant",
                          SOURCE_AUTH="Department of Justice",
                          TITLE="European arrest warrants"))
    return out


EUROSTAT = {"EL": "GR", "UK": "GB", "TOTAL": "_T"}


def dublin_rows(name, direction, indicators):
    for row in rows(name):
        indicator, reason = indicators[row.get("decision", "")]
        area, partner = (EUROSTAT.get(row[c], row[c]) for c in ("geo", "partner"))
        yield figure(area, row["time"][:4], row["values"], COUNTERPART_AREA=partner,
                     DIRECTION=direction, COOP_TYPE="OTH", LEGAL_BASIS="REG", OFFENCE="_Z",
                     INDICATOR=indicator, REASON=reason, OBS_STATUS="")


def dublin_requests():
    new = {"": ("NEW", "_Z")}
    return list(dublin_rows("dublin_in.csv", "IN", new)) + list(
        dublin_rows("dublin_out.csv", "OUT", new))


def dublin_decisions():
    return list(dublin_rows("dublin_decisions_in.csv", "IN",
                            {"ACC": ("GRANT", "_Z"), "REF": ("REFUSE", "_T"),
                             "TOTAL": ("DECIDED", "_Z")}))


FILES = {f.__name__: f for f in (au_extradition, au_mutual_assistance, gb_extradition,
                                 gb_surrender_by_state, ie_surrender)}


def main():
    arguments = sys.argv[1:]
    if len(arguments) == 2 and arguments[0] == "--dublin":
        target = Path(arguments[1])
        target.mkdir(parents=True, exist_ok=True)
        for make in (dublin_requests, dublin_decisions):
            (target / f"{make.__name__}.csv").write_text(write(make()), encoding="utf-8")
        return
    stale = []
    for name, make in FILES.items():
        path, text = TARGET / f"{name}.csv", write(make())
        if arguments != ["--check"]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    if stale:
        sys.exit("stale: " + " ".join(stale) + "; next: run tools/convert_figures.py")


main()

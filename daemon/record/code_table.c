/* Made by tools/generate_catalogue.py from data/; change the data, not this file. */
#include "record/catalogue_table.h"

/* clang-format off */
static const struct codelist_entry cl_freq[] = {
    { "A", "Annual" },
    { "S", "Half-yearly, semester" },
    { "Q", "Quarterly" },
    { "M", "Monthly" },
};
const struct code_table CL_FREQ = { cl_freq, 4 };
static const struct codelist_entry cl_obs_status[] = {
    { "A", "Normal value" },
    { "B", "Time series break" },
    { "D", "Definition differs" },
    { "E", "Estimated value" },
    { "F", "Forecast value" },
    { "G", "Experimental value" },
    { "I", "Value imputed by a receiving agency" },
    { "K", "Data included in another category" },
    { "W", "Includes data from another category" },
    { "O", "Missing value" },
    { "M", "Missing value; data cannot exist" },
    { "P", "Provisional value" },
    { "S", "Strike and other special events" },
    { "L", "Missing value; data exist but were not collected" },
    { "H", "Missing value; holiday or weekend" },
    { "Q", "Missing value; suppressed" },
    { "J", "Derogation" },
    { "N", "Not significant" },
    { "U", "Low reliability" },
    { "V", "Unvalidated value" },
};
const struct code_table CL_OBS_STATUS = { cl_obs_status, 20 };
static const struct codelist_entry cl_conf_status[] = {
    { "F", "Free (free for publication)" },
    { "N", "Not for publication, restricted for internal use only" },
    { "C", "Confidential statistical information" },
    { "D", "Secondary confidentiality set by the sender, not for publication" },
    { "S", "Secondary confidentiality set and managed by the receiver, not for publication" },
    { "A", "Primary confidentiality due to small counts" },
    { "O", "Primary confidentiality due to dominance by one unit" },
    { "T", "Primary confidentiality due to dominance by two units" },
    { "G", "Primary confidentiality due to dominance by one or two units" },
    { "M", "Primary confidentiality due to data declared confidential based on other measures of concentration" },
    { "E", "Not for publication, restricted for internal use only (equivalent to the code N) until the embargo time elapses; Free for publication (equivalent to the code F) after the embargo time elapses." },
};
const struct code_table CL_CONF_STATUS = { cl_conf_status, 11 };
static const struct codelist_entry cl_unit_mult[] = {
    { "0", "Units" },
    { "1", "Tens" },
    { "2", "Hundreds" },
    { "3", "Thousands" },
    { "4", "Tens of thousands" },
    { "5", "Hundreds of thousands" },
    { "6", "Millions" },
    { "7", "Tens of millions" },
    { "8", "Hundreds of millions" },
    { "9", "Billions" },
    { "10", "Tens of billions" },
    { "11", "Hundreds of billions" },
    { "12", "Trillions" },
    { "13", "Tens of trillions" },
    { "14", "Hundreds of trillions" },
    { "15", "Quadrillions" },
    { "-1", "Tenths" },
    { "-2", "Hundredths" },
    { "-3", "Thousandths" },
    { "-4", "Ten-thousandths" },
    { "-5", "Hundred-thousandths" },
    { "-6", "Millionths" },
    { "-7", "Ten-millionths" },
    { "-8", "Hundred-millionths" },
    { "-9", "Billionths" },
    { "-10", "Ten-billionths" },
    { "-11", "Hundred-billionths" },
    { "-12", "Trillionths" },
    { "-13", "Ten-trillionths" },
    { "-14", "Hundred-trillionths" },
    { "-15", "Quadrillionths" },
};
const struct code_table CL_UNIT_MULT = { cl_unit_mult, 31 };
static const struct codelist_entry cl_decimals[] = {
    { "0", "Zero" },
    { "1", "One" },
    { "2", "Two" },
    { "3", "Three" },
    { "4", "Four" },
    { "5", "Five" },
    { "6", "Six" },
    { "7", "Seven" },
    { "8", "Eight" },
    { "9", "Nine" },
    { "10", "Ten" },
    { "11", "Eleven" },
    { "12", "Twelve" },
    { "13", "Thirteen" },
    { "14", "Fourteen" },
    { "15", "Fifteen" },
};
const struct code_table CL_DECIMALS = { cl_decimals, 16 };
static const struct codelist_entry cl_direction[] = {
    { "OUT", "Requesting" },
    { "IN", "Requested" },
    { "SENT", "Sentenced persons transferred from the reporter" },
    { "ADMIN", "Sentenced persons received by the reporter (administering State)" },
    { "_T", "All directions" },
    { "_Z", "Not applicable" },
};
const struct code_table CL_DIRECTION = { cl_direction, 6 };
static const struct codelist_entry cl_coop_type[] = {
    { "EXTR", "Extradition (UNTOC article 16)" },
    { "SURR", "Surrender on a warrant" },
    { "PARR", "Provisional arrest" },
    { "TSP", "Transfer of sentenced persons (UNTOC article 17)" },
    { "MLA", "Mutual legal assistance (UNTOC article 18)" },
    { "TWT", "Temporary transfer of persons in custody (UNTOC article 18(10))" },
    { "SPON", "Information given without a request (UNTOC article 18(4))" },
    { "CONF", "Confiscation (UNTOC article 13)" },
    { "JIT", "Joint investigation (UNTOC article 19)" },
    { "SIT", "Special investigative technique (UNTOC article 20)" },
    { "TCP", "Transfer of criminal proceedings (UNTOC article 21)" },
    { "LEC", "Law enforcement cooperation (UNTOC article 27)" },
    { "OTH", "Other" },
    { "_T", "All types of cooperation" },
};
const struct code_table CL_COOP_TYPE = { cl_coop_type, 14 };
static const struct codelist_entry cl_assist_type[] = {
    { "A18_3_A", "Taking evidence or statements (UNTOC article 18(3)(a))" },
    { "A18_3_B", "Serving judicial documents (18(3)(b))" },
    { "A18_3_C", "Searches; seizures; freezing (18(3)(c))" },
    { "A18_3_D", "Examining objects and sites (18(3)(d))" },
    { "A18_3_E", "Information; evidentiary items; expert evaluations (18(3)(e))" },
    { "A18_3_F", "Documents and records (18(3)(f))" },
    { "A18_3_G", "Identifying or tracing proceeds and instrumentalities (18(3)(g))" },
    { "A18_3_H", "Voluntary appearance of persons (18(3)(h))" },
    { "A18_3_I", "Any other assistance that domestic law allows (18(3)(i))" },
    { "_T", "All kinds of assistance" },
    { "_Z", "Not applicable" },
};
const struct code_table CL_ASSIST_TYPE = { cl_assist_type, 11 };
static const struct codelist_entry cl_legal_basis[] = {
    { "UNTOC", "United Nations Convention against Transnational Organized Crime" },
    { "TIP", "Protocol on trafficking in persons" },
    { "SOM", "Protocol on the smuggling of migrants" },
    { "FA", "Protocol on firearms" },
    { "UNCAC", "United Nations Convention against Corruption" },
    { "DRUGS88", "United Nations drug convention of 1988" },
    { "REG", "Regional instrument" },
    { "BIL", "Bilateral treaty" },
    { "RECIP", "Reciprocity or comity" },
    { "DOM", "Domestic law alone" },
    { "_U", "Unknown" },
    { "_T", "All legal bases" },
};
const struct code_table CL_LEGAL_BASIS = { cl_legal_basis, 12 };
static const struct codelist_entry cl_offence[] = {
    { "_T", "All offences" },
    { "_Z", "Not applicable" },
};
const struct code_table CL_OFFENCE = { cl_offence, 2 };
static const struct codelist_entry cl_indicator[] = {
    { "OPEN", "Pending at the start of the period" },
    { "NEW", "New in the period" },
    { "ADMIT", "Admitted or endorsed for execution" },
    { "DECIDED", "Decided" },
    { "GRANT", "Granted" },
    { "GRANT_P", "Granted in part" },
    { "REFUSE", "Refused" },
    { "WITHDR", "Withdrawn" },
    { "OTHFIN", "Finalised otherwise" },
    { "POSTP", "Postponed" },
    { "CLOSE", "Pending at the end of the period" },
    { "SURREND", "Persons surrendered or transferred" },
    { "MED_DAYS", "Median duration in days" },
    { "MEAN_DAYS", "Mean duration in days" },
};
const struct code_table CL_INDICATOR = { cl_indicator, 14 };
static const struct codelist_entry cl_reason[] = {
    { "A18_21_A", "Not made in conformity with the article (UNTOC article 18(21)(a))" },
    { "A18_21_B", "Sovereignty, security, public order or other essential interests (18(21)(b))" },
    { "A18_21_C", "The action is prohibited by domestic law for a similar offence (18(21)(c))" },
    { "A18_21_D", "Contrary to the legal system relating to mutual legal assistance (18(21)(d))" },
    { "DUALCRIM", "No dual criminality" },
    { "NATIONAL", "Nationality of the person" },
    { "ENFORCE", "Sentence enforced in the requested State instead" },
    { "DISCRIM", "Purpose of discrimination (16(14))" },
    { "SPECIAL", "Speciality" },
    { "NEBIS", "Ne bis in idem" },
    { "LAPSE", "Lapse of time" },
    { "POLIT", "Political offence" },
    { "MINPEN", "Below the minimum penalty" },
    { "HUMRIGHT", "Human rights" },
    { "ABSENTIA", "Judgment in absentia" },
    { "NOTLOC", "Person not located" },
    { "INCOMPL", "Incomplete request" },
    { "BANKSEC", "Bank secrecy" },
    { "FISCAL", "Fiscal matters only" },
    { "PROCHERE", "Interferes with proceedings in the requested State (18(25))" },
    { "OTH", "Other" },
    { "_Z", "Not applicable" },
    { "_T", "All reasons" },
};
const struct code_table CL_REASON = { cl_reason, 23 };
static const struct codelist_entry cl_procedure[] = {
    { "EXEC", "Decided by the executive" },
    { "COURT", "Decided by a court" },
    { "SIMPL", "Simplified: with the person's consent" },
    { "ORD", "Ordinary: without the person's consent" },
    { "_T", "All procedures" },
};
const struct code_table CL_PROCEDURE = { cl_procedure, 5 };
static const struct codelist_entry cl_cohort[] = {
    { "FLOW", "Events of the period" },
    { "REQ", "Requests of the period" },
    { "STOCK", "At a point in time" },
};
const struct code_table CL_COHORT = { cl_cohort, 3 };
static const struct codelist_entry cl_unit_measure[] = {
    { "REQ", "Requests" },
    { "PERS", "Persons" },
    { "WARR", "Warrants" },
    { "CASE", "Cases" },
    { "APPL", "Applications" },
};
const struct code_table CL_UNIT_MEASURE = { cl_unit_measure, 5 };
static const struct codelist_entry cl_approx[] = {
    { "Y", "The figure is approximate" },
};
const struct code_table CL_APPROX = { cl_approx, 1 };

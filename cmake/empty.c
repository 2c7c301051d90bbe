/* Gives a layer without sources yet something to archive. */
typedef int comity_empty_translation_unit;

porta_fuzz(table SOURCES fuzz_table.c LIBS porta_part)
porta_fuzz(table_csv SOURCES fuzz_table_csv.c LIBS porta_part)

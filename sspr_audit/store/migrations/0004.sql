-- A blob is kept in pieces, as DuckDB holds some thousand rows in memory at a time, however long.
ALTER TABLE raw ADD COLUMN part INTEGER DEFAULT 0;

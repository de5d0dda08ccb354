-- Raw texts in batches, as Microsoft gave them; everything else is derived from them.
CREATE SEQUENCE record_number;

CREATE TABLE raw (
    batch   BIGINT NOT NULL,
    layout  VARCHAR NOT NULL,   -- JSON of model.Layout
    texts   BLOB NOT NULL);     -- Arrow stream of one text column, Zstandard

-- Where each record's text stands and its hash; the columns of tables.AUDIT are added by the store.
CREATE TABLE audit (
    record  BIGINT DEFAULT nextval('record_number'),
    batch   BIGINT NOT NULL,
    place   INTEGER NOT NULL,
    sha256  VARCHAR NOT NULL,
    {audit});

CREATE TABLE context (
    kind    VARCHAR NOT NULL,
    batch   BIGINT NOT NULL,
    place   INTEGER NOT NULL,
    sha256  VARCHAR NOT NULL);

CREATE TABLE imports (
    at_utc      TIMESTAMP NOT NULL,
    name        VARCHAR NOT NULL,
    records     BIGINT NOT NULL,   -- read
    kept        BIGINT NOT NULL,   -- new to the store
    repeats     BIGINT NOT NULL,
    skipped     BIGINT NOT NULL);

-- Half-open UTC spans for which every page of a query has arrived.
CREATE TABLE coverage (
    collection  VARCHAR NOT NULL,
    filter      VARCHAR NOT NULL,
    start_utc   TIMESTAMP NOT NULL,
    end_utc     TIMESTAMP NOT NULL);

-- What a window brought, and when. One row a window that arrived whole, with its records.
ALTER TABLE coverage ADD COLUMN read_to_utc TIMESTAMP;   -- end_utc, or later: read, not settled
ALTER TABLE coverage ADD COLUMN fetched_utc TIMESTAMP;   -- when the window was asked for
ALTER TABLE coverage ADD COLUMN rows BIGINT;             -- inside start_utc ≤ time < read_to_utc
ALTER TABLE coverage ADD COLUMN pages BIGINT;
ALTER TABLE coverage ADD COLUMN request_ids VARCHAR;     -- JSON: the service's own, a page each

-- Spans that were wanted and could not be had, with the reason. One that is had later is no gap.
CREATE TABLE gaps (
    collection  VARCHAR NOT NULL,
    start_utc   TIMESTAMP NOT NULL,
    end_utc     TIMESTAMP NOT NULL,
    reason      VARCHAR NOT NULL);

-- One row a fetch that came to its end.
CREATE TABLE fetches (
    at_utc          TIMESTAMP NOT NULL,
    collection      VARCHAR NOT NULL,
    filter          VARCHAR NOT NULL,   -- '' for none
    reread_h        DOUBLE NOT NULL,    -- how far back it read what was covered before
    records         BIGINT NOT NULL,
    kept            BIGINT NOT NULL,
    late            BIGINT NOT NULL,    -- of those kept: their time had been covered before
    late_least_s    DOUBLE,             -- they came at least so late after they were written
    late_most_s     DOUBLE,             -- and at most
    requests        VARCHAR NOT NULL);  -- JSON: number by kind

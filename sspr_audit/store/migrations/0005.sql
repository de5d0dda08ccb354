-- The windows that were reported on.
CREATE TABLE reports (
    start_utc   TIMESTAMP NOT NULL,
    end_utc     TIMESTAMP NOT NULL,
    complete    BOOLEAN NOT NULL,   -- whether no gap was in the data: only then is absence a fact
    PRIMARY KEY (start_utc, end_utc));

-- What was found there: one row a finding's identity and window. No person is named.
CREATE TABLE found (
    start_utc   TIMESTAMP NOT NULL,
    end_utc     TIMESTAMP NOT NULL,
    identity    VARCHAR NOT NULL,
    cause       VARCHAR NOT NULL,
    family      VARCHAR,
    title       VARCHAR NOT NULL,
    places      VARCHAR NOT NULL,   -- JSON: sites, ips and clients
    users       BIGINT NOT NULL,
    flows       BIGINT NOT NULL,
    since_utc   TIMESTAMP NOT NULL, -- from when on it was there in every period that is known
    seen_utc    TIMESTAMP NOT NULL, -- when it was last seen
    PRIMARY KEY (start_utc, end_utc, identity));

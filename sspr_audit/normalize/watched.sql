-- For whom and when the sign-ins of files are all that there were: a file is taken to be whole from
-- its first to its last sign-in. Files are cut by the hour, so what lies an hour apart is one span.
-- One that holds few people was asked for about these. Needs sign_in_rows and people.
WITH signed AS (
    SELECT r.file, r.time_utc, p.person
    FROM sign_in_rows r
    JOIN people p ON p.user_id IS NOT DISTINCT FROM r.user_id AND p.upn IS NOT DISTINCT FROM r.upn
    WHERE p.person IS NOT NULL),
files AS (
    SELECT file, min(time_utc) AS start_utc, max(time_utc) AS end_utc FROM signed GROUP BY file),
marked AS (
    SELECT *, COALESCE(start_utc > max(end_utc) OVER (
        ORDER BY start_utc, file ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        + INTERVAL 1 HOUR, true) AS begins
    FROM files),
numbered AS (
    SELECT *, sum(begins::INT) OVER (ORDER BY start_utc, file) AS island FROM marked),
spans AS (
    SELECT person, island, min(time_utc) AS start_utc, max(time_utc) AS end_utc
    FROM signed JOIN numbered USING (file) GROUP BY GROUPING SETS ((person, island), (island))),
counted AS (
    SELECT *, count(person) OVER (PARTITION BY island) AS people FROM spans)
SELECT person, start_utc, end_utc + INTERVAL 1 MICROSECOND AS end_utc FROM counted
WHERE (person IS NULL) = (people >= $enough)
ORDER BY start_utc, person

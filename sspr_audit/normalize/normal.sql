-- One form's rows with their time. `left_over` keeps the text of what cannot go into `audit`.
SELECT
    * EXCLUDE (text),
    utc_time(time_text, $zoneless_utc) AS time_utc,
    CASE WHEN record_id IS NULL THEN 'content:' || substr(sha256(text), 1, 16) END AS content_id,
    CASE WHEN fits IS NOT TRUE OR fault IS NOT NULL OR utc_time(time_text, $zoneless_utc) IS NULL
        THEN text END AS left_over
FROM found

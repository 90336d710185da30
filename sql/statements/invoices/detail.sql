-- Answers: the appendix: what each due account's domains used on each local day of the month.
-- Grain: one row per invoice × day × domain × class × region.
-- Reads: usage, invoice_due, invoice_zones, invoice_days, invoice_numbers.
CREATE OR REPLACE TEMP TABLE invoice_out_detail AS
SELECT
    numbers.invoice_no,
    days.day,
    usage.domain,
    usage.class,
    usage.region,
    CAST(sum(usage.requests) AS BIGINT) AS requests,
    CAST(sum(usage.bytes_sent) AS BIGINT) AS bytes_sent
FROM usage
INNER JOIN invoice_due AS due ON usage.account_id = due.account_id
INNER JOIN invoice_numbers AS numbers ON due.account_id = numbers.account_id
INNER JOIN invoice_days AS days
    ON due.timezone = days.timezone
    AND usage.bucket >= days.day_start
    AND usage.bucket < days.day_end
WHERE usage.import_no <= $import_no
GROUP BY numbers.invoice_no, days.day, usage.domain, usage.class, usage.region
ORDER BY numbers.invoice_no, days.day, usage.domain, usage.class, usage.region;

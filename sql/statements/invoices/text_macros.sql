-- Answers: how figures and text are written in JSON and CSV; the same as billing/invoices/figures.py, held by a test.
-- Grain: macros of the session.
-- Reads: nothing. digits_text cuts nothing: settled amounts have zeros there.
-- What fits 64 bits, nearly all of it, is written twice as fast.
CREATE OR REPLACE TEMP MACRO short_text(amount) AS
    CASE WHEN amount < 0 THEN '-' ELSE '' END || CAST(abs(amount) // 10000000000 AS VARCHAR) || '.'
    || right('0000000000' || CAST(abs(amount) % 10000000000 AS VARCHAR), 10);
CREATE OR REPLACE TEMP MACRO decimal_text(amount) AS
    CASE
        WHEN amount BETWEEN -9000000000000000000 AND 9000000000000000000 THEN short_text(CAST(amount AS BIGINT))
        ELSE CAST(
            CAST(CAST(amount AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS VARCHAR
        )
    END;
CREATE OR REPLACE TEMP MACRO trimmed_text(decimals) AS
    left(decimals, length(decimals) - 8) || rtrim(right(decimals, 8), '0');
CREATE OR REPLACE TEMP MACRO exact_text(amount) AS trimmed_text(decimal_text(amount));
CREATE OR REPLACE TEMP MACRO digits_text(decimals, digits) AS
    left(decimals, length(decimals) - CASE digits WHEN 0 THEN 11 ELSE 10 - digits END);
CREATE OR REPLACE TEMP MACRO minor_text(amount, digits) AS digits_text(decimal_text(amount), digits);
CREATE OR REPLACE TEMP MACRO percent_text(rate_bp) AS
    rtrim(rtrim(CAST(CAST(rate_bp AS DECIMAL(9, 0)) * 0.01::DECIMAL(3, 2) AS VARCHAR), '0'), '.');
CREATE OR REPLACE TEMP MACRO stamp_text(moment) AS strftime(moment, '%Y-%m-%dT%H:%M:%SZ');
-- Control characters are written \u001f as everywhere else in edgetoll, not \u001F: one at a time, since they are rare.
CREATE OR REPLACE TEMP MACRO json_char(part) AS
    CASE
        WHEN ascii(part) < 32 AND part NOT IN (chr(8), chr(9), chr(10), chr(12), chr(13), chr(13) || chr(10))
            THEN printf('\u%04x', ascii(part))
        ELSE substr(CAST(to_json(part) AS VARCHAR), 2, length(CAST(to_json(part) AS VARCHAR)) - 2)
    END;
CREATE OR REPLACE TEMP MACRO json_text(value) AS
    CASE
        WHEN value IS NULL THEN 'null'
        WHEN regexp_matches(value, '[\x00-\x1f]')
            THEN '"' || array_to_string(list_transform(string_split(value, ''), lambda part: json_char(part)), '') || '"'
        ELSE CAST(to_json(value) AS VARCHAR)
    END;
CREATE OR REPLACE TEMP MACRO safe_text(value) AS
    CASE
        WHEN left(value, 1) IN ('=', '+', '-', '@', chr(9), chr(13), chr(10)) THEN '''' || value
        ELSE value
    END;
CREATE OR REPLACE TEMP MACRO quoted_text(value) AS
    CASE
        WHEN contains(value, '"') OR contains(value, ',') OR contains(value, chr(13)) OR contains(value, chr(10))
            THEN '"' || replace(value, '"', '""') || '"'
        ELSE value
    END;
CREATE OR REPLACE TEMP MACRO csv_text(value) AS quoted_text(safe_text(replace(coalesce(value, ''), chr(0), '')));
CREATE OR REPLACE TEMP MACRO address_lines(address, country) AS
    list_filter(
        list_transform(
            string_split_regex(address, '[,\n]'), lambda part: regexp_replace(part, '^\s+|\s+$', '', 'g')
        ) || [country],
        lambda part: part <> ''
    );
CREATE OR REPLACE TEMP MACRO json_lines(parts, indent) AS
    CASE
        WHEN len(parts) = 0 THEN '[]'
        ELSE '[' || chr(10) || indent || '  '
            || array_to_string(list_transform(parts, lambda part: json_text(part)), ',' || chr(10) || indent || '  ')
            || chr(10) || indent || ']'
    END;

"""Which functions and types a statement of an analyst may name; everything else is refused.

None of them writes, reads a file, waits, takes a lock or shows what others do. `repeat`, `lpad` and `rpad` are left
out: one short call of theirs fills a gigabyte of the server's memory.
"""

from typing import Final

_AGGREGATES = """
    array_agg avg bit_and bit_or bool_and bool_or corr count covar_pop covar_samp every json_agg json_object_agg
    jsonb_agg jsonb_object_agg max min mode percentile_cont percentile_disc regr_avgx regr_avgy regr_count
    regr_intercept regr_r2 regr_slope stddev stddev_pop stddev_samp string_agg sum var_pop var_samp variance
"""
_WINDOWS = "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number"
_NUMBERS = "abs cbrt ceil ceiling div exp floor ln log log10 mod power round sign sqrt trunc width_bucket"
_TEXTS = """
    ascii bit_length btrim char_length character_length chr concat concat_ws format initcap left length like_escape
    lower ltrim md5 normalize octet_length position regexp_count regexp_like regexp_match regexp_matches regexp_replace
    regexp_split_to_array regexp_substr replace reverse right rtrim similar_to_escape split_part starts_with
    string_to_array string_to_table strpos substr substring to_char to_number translate upper
"""
_TIMES = """
    age date date_bin date_part date_trunc extract isfinite justify_days justify_hours justify_interval make_date
    make_interval make_timestamp make_timestamptz now overlaps timezone to_date to_timestamp
"""
_LISTS = """
    array_append array_cat array_length array_position array_positions array_prepend array_remove array_to_string
    cardinality generate_series generate_subscripts json_array_elements json_array_elements_text json_array_length
    json_build_array json_build_object json_each json_each_text json_extract_path json_extract_path_text
    json_object_keys json_typeof jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array
    jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_object_keys
    jsonb_typeof to_json to_jsonb unnest
"""
ALLOWED: Final = frozenset(" ".join((_AGGREGATES, _WINDOWS, _NUMBERS, _TEXTS, _TIMES, _LISTS)).split())

_TYPES = """
    bool boolean bpchar char date decimal double float4 float8 int int2 int4 int8 integer bigint smallint interval json
    jsonb numeric real text time timestamp timestamptz timetz uuid varchar
"""
# no reg* types: a cast to one asks the catalogue whether a name exists
TYPES: Final = frozenset(_TYPES.split())

"""What a request may use: statements, functions, engines and settings that stay inside the engine.

These are allow-lists: what a later version of the engine adds is refused until someone has looked at it. Left out is
whatever reads or writes files, starts programs, calls other hosts or changes how the engine reads a statement. Names
are those of ClickHouse 26.9 (``system.functions``, ``system.table_functions``, ``system.table_engines``,
``system.settings``, ``system.merge_tree_settings``); functions and engines are compared in lower case.
"""

from __future__ import annotations

import re

STATEMENTS = frozenset(
    [
        "SelectWithUnionQuery", "SelectQuery", "SelectIntersectExceptQuery", "ProjectionSelectQuery",
        "InsertQuery", "CreateQuery",
        "CreateIndexQuery", "DropIndexQuery", "DropQuery", "RenameQuery", "AlterQuery", "OptimizeQuery",
        "DeleteQuery", "UpdateQuery", "KillQueryQuery", "CheckTableQuery", "ExplainQuery", "SetQuery", "UseQuery",
        "ShowTablesQuery", "ShowColumnsQuery", "ShowIndexesQuery",
    ]
)  # fmt: skip
"""Kinds of statements, as the engine's parser names them."""
PLAIN_STATEMENTS = ("ShowCreate", "Exists", "ShowProcesslist", "ShowFunctions", "ShowEngine", "ShowSetting")
"""Kinds without expressions, by how their names begin. The parser gives no tree for them, and there is nothing in one
to look at."""
ALTERS = frozenset(
    [
        "ADD_COLUMN", "DROP_COLUMN", "MODIFY_COLUMN", "COMMENT_COLUMN", "RENAME_COLUMN", "MATERIALIZE_COLUMN",
        "CLEAR_COLUMN", "MODIFY_ORDER_BY", "MODIFY_SAMPLE_BY", "REMOVE_SAMPLE_BY", "MODIFY_TTL", "REMOVE_TTL",
        "MATERIALIZE_TTL", "MODIFY_SETTING", "RESET_SETTING", "MODIFY_QUERY", "MODIFY_COMMENT", "MODIFY_REFRESH",
        "ADD_INDEX", "DROP_INDEX", "MATERIALIZE_INDEX", "CLEAR_INDEX", "ADD_PROJECTION", "DROP_PROJECTION",
        "MATERIALIZE_PROJECTION", "CLEAR_PROJECTION", "ADD_CONSTRAINT", "DROP_CONSTRAINT", "ADD_STATISTICS",
        "DROP_STATISTICS", "MODIFY_STATISTICS", "MATERIALIZE_STATISTICS", "DROP_PARTITION", "REPLACE_PARTITION",
        "MOVE_PARTITION", "DELETE", "UPDATE", "APPLY_DELETED_MASK", "APPLY_PATCHES",
    ]
)  # fmt: skip
MAINTENANCE_ALTERS = frozenset(["FREEZE_ALL", "FREEZE_PARTITION", "ATTACH_PARTITION"])
"""What backup and restore need: parts as files."""

FUNCTION_CATEGORIES = frozenset(
    [
        "Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional", "Dates and Times", "Distance",
        "Encoding", "Encryption", "Financial", "Geo", "Geo Polygon", "Hash", "IP Address", "JSON", "Logical", "Map",
        "Mathematical", "Null", "NumericIndexedVector", "QBit", "Random Number", "Rounding", "String",
        "String Replacement", "String Search", "String Splitting", "Time Series", "Time Window", "Tuple",
        "Type Conversion", "URL", "UUID",
    ]
)  # fmt: skip
"""Categories of functions that only compute."""
FUNCTIONS = frozenset(
    [
        "bar", "blocknumber", "blocksize", "bytesize", "caseWithExpression", "connectionId", "countDigits",
        "currentDatabase", "currentQueryID", "currentRoles", "currentSchemas", "currentUser", "defaultRoles",
        "defaultValueOfArgumentType", "defaultValueOfTypeName", "digits", "displayName", "dumpColumnStructure",
        "enabledRoles",
        "errorCodeToName", "exists", "finalizeAggregation", "flipCoordinates", "formatQuery", "formatQueryOrNull",
        "formatQuerySingleLine", "formatQuerySingleLineOrNull", "formatReadableDecimalSize",
        "formatReadableQuantity", "formatReadableSize", "formatReadableTimeDelta", "getSetting",
        "getSettingOrDefault", "getSizeOfEnumType", "getSubcolumn", "globalVariable", "grouping", "hostName",
        "identity", "ignore", "indexHint", "initialQueryID", "initializeAggregation", "isConstant",
        "isDecimalOverflow", "joinGet", "joinGetOrNull", "lambda", "lowCardinalityIndices", "lowCardinalityKeys",
        "MACNumToString", "MACStringToNum", "MACStringToOUI", "materialize", "minSampleSizeContinuous",
        "minSampleSizeConversion", "neighbor", "nested", "normalizeQuery", "normalizeQueryKeepNames",
        "normalizedQueryHash", "normalizedQueryHashKeepNames", "parseISO8601Duration", "parseReadableSize",
        "parseReadableSizeOrNull", "parseReadableSizeOrZero", "parseTimeDelta", "partitionId", "pgGetUserById",
        "pgTableIsVisible", "queryID", "revision", "rowNumberInAllBlocks", "rowNumberInBlock", "runningAccumulate",
        "runningDifference", "runningDifferenceStartingWithFirstValue", "serverUUID", "shardCount", "shardNum",
        "sleep", "sleepEachRow", "throwIf", "toColumnTypeName", "toTypeName", "transform", "untuple", "uptime",
        "validateNestedArraySizes", "variantElement", "variantType", "version", "visibleWidth",
    ]
)  # fmt: skip
"""Functions of other categories that only compute, or tell about this session."""
TABLE_FUNCTIONS = frozenset(
    [
        "format", "fuzzjson", "fuzzquery", "generate_series", "generaterandom", "generateseries", "input", "loop",
        "merge", "mergetreeindex", "mergetreeprojection", "null", "numbers", "numbers_mt", "primes", "values", "view",
        "viewexplain", "viewifpermitted", "zeros", "zeros_mt",
    ]
)  # fmt: skip
PARTS_OF_TABLES = frozenset(
    [
        "codec", "alp", "default", "delta", "doubledelta", "fpc", "gcd", "gorilla", "lz4", "lz4hc", "none", "t64",
        "zstd", "bloom_filter", "hypothesis", "minmax", "ngrambf_v1", "set", "sparse_grams", "text", "tokenbf_v1",
        "vector_similarity", "array", "splitbynonalpha", "splitbystring", "ngrams", "basic", "countmin", "tdigest",
        "uniq",
    ]
)  # fmt: skip
"""Codecs, skip indexes, tokenizers and statistics, which are written like functions."""
TABLE_ENGINES = frozenset(
    [
        "aggregatingmergetree", "alias", "buffer", "coalescingmergetree", "collapsingmergetree", "generaterandom",
        "graphitemergetree", "join", "log", "materializedview", "memory", "merge", "mergetree", "null",
        "replacingmergetree", "set", "stripelog", "summingmergetree", "tinylog", "versionedcollapsingmergetree",
        "view",
    ]
)  # fmt: skip
DATABASE_ENGINES = frozenset(["atomic", "memory"])

_FAMILIES = re.compile(
    r"(in|out)put_format_(arrow|avro|bson|csv|custom|decimal|float|json|markdown|msgpack|native|orc|parquet|pretty|"
    r"sql_insert|try_infer|tsv|values|binary|trim|hive_text|image)_\w+"
    r"|format_(csv|custom|regexp|tsv|json|binary|geojson|hive_text|display_secrets)_\w+"
    r"|(type_)?json_(type_|skip_|allow_|use_)\w+|formatdatetime_\w+|schema_inference_\w+"
    r"|optimize_\w+|query_plan_\w+|group_by_\w+|distinct_\w+|join_\w+|use_skip_\w+|merge_tree_(min|max)_\w+"
    r"|cast_\w+|aggregate_functions_\w+|count_distinct_\w+|short_circuit_\w+|lightweight_\w+|deduplicate_\w+"
    r"|max_(bytes|rows|result|columns|block|insert|read|partitions|joined|rows_in|bytes_in|bytes_before|"
    r"temporary|expanded|ast|parser|subquery|parts|streams|concurrent|distinct|threads|final)_?\w*"
    r"|min_(insert|bytes|rows|count|execution|hit|chunk)_\w+|read_overflow_\w+|sort_overflow_\w+|set_overflow_\w+"
    r"|transfer_overflow_\w+|result_overflow_\w+|refresh_\w+|param_\w+"
)
"""Families of settings that tune reading, computing and the forms of values in a request or its answer."""
_NOT_OF_A_FAMILY = re.compile(
    r"\w*(_file|_path|_url|_host|_dialect|secrets)\w*|input_format_record_errors\w*|output_format_avro_confluent\w*"
    r"|schema_inference_cache\w*|max_\w*_for_all_queries|max_concurrent_\w+"
)
_SETTINGS = frozenset(
    [
        "allow_experimental_analyzer", "allow_experimental_dynamic_type", "allow_experimental_full_text_index",
        "allow_experimental_json_type", "allow_experimental_lightweight_delete",
        "allow_experimental_lightweight_update", "allow_experimental_object_type", "allow_experimental_qbit_type",
        "allow_experimental_statistics", "allow_experimental_time_time64_type", "allow_experimental_variant_type",
        "allow_experimental_vector_similarity_index", "allow_hyperscan", "allow_nondeterministic_mutations",
        "allow_suspicious_low_cardinality_types", "allow_suspicious_ttl_expressions",
        "allow_suspicious_types_in_group_by", "allow_suspicious_types_in_order_by", "allow_suspicious_variant_types",
        "alter_sync", "any_join_distinct_right_table_keys", "apply_deleted_mask", "apply_mutations_on_fly",
        "asterisk_include_alias_columns", "asterisk_include_materialized_columns", "async_insert",
        "async_insert_busy_timeout_max_ms", "async_insert_busy_timeout_min_ms", "async_insert_busy_timeout_ms",
        "async_insert_deduplicate", "async_insert_max_data_size", "async_insert_max_query_number",
        "bool_false_representation", "bool_true_representation", "cancel_http_readonly_queries_on_client_close",
        "check_query_single_value_result", "compile_expressions", "connect_timeout", "convert_query_to_cnf",
        "cross_to_inner_join_rewrite", "data_type_default_nullable",
        "database_atomic_wait_for_drop_and_detach_synchronously",
        "date_time_64_output_format_cut_trailing_zeros_align_to_groups_of_thousands", "date_time_input_format",
        "date_time_output_format", "date_time_overflow_behavior", "describe_compact_output",
        "describe_include_subcolumns", "distributed_ddl_task_timeout", "distributed_foreground_insert",
        "distributed_product_mode", "do_not_merge_across_partitions_select_final",
        "empty_result_for_aggregation_by_empty_set", "enable_analyzer", "enable_dynamic_type",
        "enable_early_constant_folding", "enable_extended_results_for_datetime_functions",
        "enable_global_with_statement", "enable_json_type", "enable_lightweight_delete", "enable_lightweight_update",
        "enable_multiple_prewhere_read_steps", "enable_named_columns_in_function_tuple",
        "enable_optimize_predicate_expression", "enable_positional_arguments", "enable_qbit_type",
        "enable_time_time64_type", "enable_unaligned_array_join", "enable_variant_type", "exact_rows_before_limit",
        "extremes", "final", "flatten_nested", "force_index_by_date", "force_primary_key", "format_regexp",
        "grace_hash_join_initial_buckets", "grace_hash_join_max_buckets", "http_connection_timeout",
        "http_headers_progress_interval_ms", "http_max_field_value_size", "http_max_fields", "http_receive_timeout",
        "http_response_buffer_size", "http_send_timeout", "http_write_exception_in_output_format",
        "idle_connection_timeout", "input_format_allow_errors_num", "input_format_allow_errors_ratio",
        "input_format_allow_seeks", "input_format_column_name_matching_mode",
        "input_format_defaults_for_omitted_fields", "input_format_force_null_for_omitted_fields",
        "input_format_import_nested_json", "input_format_ipv4_default_on_conversion_error",
        "input_format_ipv6_default_on_conversion_error",
        "input_format_json_use_string_type_for_ambiguous_paths_in_named_tuples_inference_from_objects",
        "input_format_max_bytes_to_read_for_schema_inference", "input_format_max_rows_to_read_for_schema_inference",
        "input_format_null_as_default", "input_format_parallel_parsing",
        "input_format_read_datetime_number_as_raw_value", "input_format_skip_unknown_fields",
        "input_format_with_names_use_header", "input_format_with_types_use_header", "insert_deduplicate",
        "insert_deduplication_token", "insert_distributed_sync", "insert_keeper_max_retries", "insert_null_as_default",
        "insert_quorum", "insert_quorum_parallel", "insert_quorum_timeout", "insert_shard_id", "interactive_delay",
        "interval_output_format", "joined_subquery_requires_alias", "limit", "load_balancing",
        "local_filesystem_read_prefetch", "lock_acquire_timeout", "log_comment", "log_formatted_queries",
        "log_profile_events", "log_queries", "log_query_threads", "low_cardinality_allow_in_native_format",
        "materialize_ttl_after_modify", "max_execution_speed", "max_execution_speed_bytes", "max_execution_time",
        "max_memory_usage", "max_network_bandwidth", "max_query_size", "mutations_sync",
        "network_compression_method", "network_zstd_compression_level",
        "normalize_function_names",
        "offset", "output_format_always_write_decimal_point_in_float_and_decimal", "output_format_parallel_formatting",
        "output_format_write_statistics", "parallel_hash_join_threshold", "parallel_view_processing",
        "partial_merge_join_rows_in_right_blocks", "periodic_live_view_refresh", "prefer_column_name_to_alias",
        "prefer_global_in_and_join", "preferred_block_size_bytes", "print_pretty_type_names", "priority",
        "query_cache_ttl", "read_in_order_two_level_merge_threshold", "receive_timeout", "regexp_max_matches_per_row",
        "replace_running_query", "replication_alter_partitions_sync", "rows_before_aggregation",
        "select_sequential_consistency", "send_logs_level", "send_progress_in_http_headers", "send_timeout",
        "session_timezone", "show_create_query_identifier_quoting_rule", "show_create_query_identifier_quoting_style",
        "show_table_uuid_in_table_create_query_if_not_nil", "splitby_max_substrings_includes_remaining_string",
        "stream_like_engine_allow_direct_select", "throw_if_no_data_to_insert",
        "throw_on_error_from_cache_on_write_operations", "timeout_overflow_mode", "totals_auto_threshold",
        "totals_mode", "transform_null_in", "type_json_skip_duplicated_paths", "type_json_skip_invalid_typed_paths",
        "type_json_skip_null_typed_paths", "type_json_use_partial_match_to_skip_paths_by_regexp", "union_default_mode",
        "update_parallel_mode", "use_index_for_in_with_subqueries", "use_query_cache", "use_uncompressed_cache",
        "validate_polygons", "wait_for_async_insert", "wait_for_async_insert_timeout",
    ]
)  # fmt: skip
TABLE_SETTINGS = frozenset(
    [
        "allow_coalescing_columns_in_partition_or_order_key", "allow_experimental_replacing_merge_with_cleanup",
        "allow_floating_point_partition_key", "allow_nullable_key", "allow_part_offset_column_in_projections",
        "allow_reduce_blocking_parts_task", "allow_suspicious_indices",
        "allow_vertical_merges_from_compact_to_wide_parts", "assign_part_uuids",
        "columns_and_secondary_indices_sizes_lazy_calculation",
        "compatibility_allow_sampling_expression_not_in_primary_key", "compress_marks", "compress_primary_key",
        "default_compression_codec", "enable_block_number_column", "enable_block_offset_column",
        "enable_mixed_granularity_parts", "enable_vertical_merge_algorithm",
        "exclude_deleted_rows_for_part_size_in_merge", "fsync_after_insert", "fsync_part_directory",
        "inactive_parts_to_delay_insert", "inactive_parts_to_throw_insert", "index_granularity",
        "index_granularity_bytes", "marks_compress_block_size", "max_compress_block_size", "max_delay_to_insert",
        "max_part_loading_threads", "max_replicated_merges_in_queue", "merge_max_block_size",
        "merge_max_block_size_bytes", "merge_selecting_sleep_ms", "merge_with_recompression_ttl_timeout",
        "merge_with_ttl_timeout", "min_age_to_force_merge_on_partition_only", "min_age_to_force_merge_seconds",
        "min_compress_block_size", "min_compressed_bytes_to_fsync_after_merge", "min_index_granularity_bytes",
        "min_merge_bytes_to_use_direct_io", "non_replicated_deduplication_window",
        "number_of_free_entries_in_pool_to_execute_mutation",
        "number_of_free_entries_in_pool_to_lower_max_size_of_merge", "object_serialization_version",
        "object_shared_data_serialization_version", "old_parts_lifetime", "parts_to_delay_insert",
        "parts_to_throw_insert", "persistent", "primary_key_compress_block_size",
        "ratio_of_defaults_for_sparse_serialization", "replace_long_file_name_to_hash",
        "replicated_deduplication_window", "replicated_deduplication_window_seconds", "ttl_only_drop_parts",
        "use_minimalistic_part_header_in_zookeeper", "vertical_merge_algorithm_min_bytes_to_activate",
        "vertical_merge_algorithm_min_columns_to_activate", "vertical_merge_algorithm_min_rows_to_activate",
    ]
)  # fmt: skip
"""Settings of tables (MergeTree, Memory, Join), without those that name disks or other servers."""


def setting(name: str) -> bool:
    """May a request or a statement set it?"""
    if name in _SETTINGS or name in TABLE_SETTINGS:
        return True
    return _FAMILIES.fullmatch(name) is not None and _NOT_OF_A_FAMILY.fullmatch(name) is None

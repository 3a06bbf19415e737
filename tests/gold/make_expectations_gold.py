#!/usr/bin/env python3
"""What Great Expectations says of two small tables: tests/gold/expectations.json. Needs PyPI great_expectations (1.24).

usage: make_expectations_gold.py > tests/gold/expectations.json
"""
import json, math, pathlib, sys, warnings

warnings.filterwarnings("ignore")
import great_expectations as gx
import pandas as pd

ROWS = []
for i in range(200):
    ROWS.append({
        "id": i if i not in (17, 90) else 5,
        "text": None if i % 40 == 3 else ("评论" if i % 9 == 0 else "review") + " number %d" % i,
        "label": ["pos", "neg", "neutral"][i * i % 3] if i % 50 else None,
        "score": None if i % 25 == 7 else round(math.sin(i) * 10, 3),
        "count": i * 7 % 31,
        "day": "2026-%02d-%02d" % (i % 12 + 1, i % 30 + 1),
        "a": i % 5, "b": (i + i % 3) % 5,
    })

def e(kind, **kwargs):
    return {"type": kind, "kwargs": kwargs}

def only(condition, parser=None):
    return {"row_condition": condition, **({"condition_parser": parser} if parser else {})}


SUITE = [
    e("expect_table_row_count_to_be_between", min_value=100, max_value=200),
    e("expect_table_row_count_to_equal", value=199),
    e("expect_table_column_count_to_equal", value=8),
    e("expect_table_column_count_to_be_between", min_value=1, max_value=7),
    e("expect_table_columns_to_match_ordered_list", column_list=["id", "text", "label", "score", "count", "day", "a", "b"]),
    e("expect_table_columns_to_match_set", column_set=["id", "text", "label"], exact_match=False),
    e("expect_column_to_exist", column="nowhere"),
    e("expect_column_values_to_not_be_null", column="text"),
    e("expect_column_values_to_not_be_null", column="text", mostly=0.9),
    e("expect_column_values_to_be_null", column="label", mostly=0.01),
    e("expect_column_values_to_be_unique", column="id"),
    e("expect_column_values_to_be_unique", column="id", mostly=0.98),
    e("expect_column_values_to_be_in_set", column="label", value_set=["pos", "neg"]),
    e("expect_column_values_to_be_in_set", column="a", value_set=[0, 1, 2, 3], mostly=0.8),
    e("expect_column_values_to_not_be_in_set", column="label", value_set=["neutral", "mixed"]),
    e("expect_column_values_to_be_between", column="score", min_value=-5, max_value=9.5),
    e("expect_column_values_to_be_between", column="count", min_value=0, max_value=30, strict_max=True),
    e("expect_column_value_lengths_to_be_between", column="text", min_value=10, max_value=17),
    e("expect_column_value_lengths_to_equal", column="day", value=10),
    e("expect_column_values_to_match_regex", column="text", regex=r"^review number \d{2}$"),
    e("expect_column_values_to_not_match_regex", column="text", regex=r"9$"),
    e("expect_column_values_to_match_regex_list", column="text", regex_list=["^评论", "1\\d$"], match_on="any"),
    e("expect_column_values_to_match_regex_list", column="text", regex_list=["^review", "1\\d$"], match_on="all"),
    e("expect_column_values_to_not_match_regex_list", column="text", regex_list=["^评论", "77"]),
    e("expect_column_values_to_match_strftime_format", column="day", strftime_format="%Y-%m-%d"),
    e("expect_column_value_z_scores_to_be_less_than", column="score", threshold=1.2, double_sided=True),
    e("expect_column_value_z_scores_to_be_less_than", column="score", threshold=1.2, double_sided=False, mostly=0.5),
    e("expect_column_min_to_be_between", column="score", min_value=-10, max_value=-9),
    e("expect_column_max_to_be_between", column="score", min_value=-10, max_value=9),
    e("expect_column_mean_to_be_between", column="score", min_value=0, max_value=1),
    e("expect_column_median_to_be_between", column="score", min_value=-1, max_value=1),
    e("expect_column_stdev_to_be_between", column="score", min_value=7, max_value=7.05),
    e("expect_column_sum_to_be_between", column="count", min_value=1, max_value=5000),
    e("expect_column_quantile_values_to_be_between", column="score",
      quantile_ranges={"quantiles": [0.05, 0.25, 0.5, 0.9], "value_ranges": [[-10, -9], [None, -7], [-1, 1], [8, None]]}),
    e("expect_column_unique_value_count_to_be_between", column="count", min_value=1, max_value=30),
    e("expect_column_proportion_of_unique_values_to_be_between", column="text", min_value=0.99, max_value=1),
    e("expect_column_proportion_of_non_null_values_to_be_between", column="score", min_value=0.95, max_value=1),
    e("expect_column_distinct_values_to_be_in_set", column="label", value_set=["pos", "neg", "mixed"]),
    e("expect_column_distinct_values_to_contain_set", column="label", value_set=["pos"]),
    e("expect_column_distinct_values_to_equal_set", column="a", value_set=[0, 1, 2, 3, 4]),
    e("expect_column_distinct_values_to_be_in_set", column="label", value_set=["pos", "mixed"]),
    e("expect_column_distinct_values_to_contain_set", column="label", value_set=["pos", "mixed"]),
    e("expect_column_distinct_values_to_equal_set", column="a", value_set=[0, 1, 2, 7]),
    e("expect_column_most_common_value_to_be_in_set", column="label", value_set=["pos"]),
    e("expect_column_most_common_value_to_be_in_set", column="a", value_set=[0], ties_okay=True),
    e("expect_column_pair_values_to_be_equal", column_A="a", column_B="b"),
    e("expect_column_pair_values_a_to_be_greater_than_b", column_A="b", column_B="a", or_equal=True, mostly=0.7),
    e("expect_column_pair_values_to_be_in_set", column_A="a", column_B="b", value_pairs_set=[[0, 0], [1, 1], [2, 2], [3, 3], [4, 4], [0, 1]]),
    e("expect_compound_columns_to_be_unique", column_list=["a", "day"]),
    e("expect_select_column_values_to_be_unique_within_record", column_list=["a", "b"]),
    e("expect_multicolumn_sum_to_equal", column_list=["a", "b"], sum_total=4),
    e("expect_column_kl_divergence_to_be_less_than", column="label", partition_object={"values": ["pos", "neg"], "weights": [0.4, 0.6]}, threshold=0.1),
    e("expect_column_kl_divergence_to_be_less_than", column="label", partition_object={"values": ["pos", "neg"], "weights": [0.4, 0.6]}, threshold=0.5, tail_weight_holdout=0.1),
    e("expect_column_kl_divergence_to_be_less_than", column="score", partition_object={"bins": [-8, -4, 0, 4, 8], "weights": [0.3, 0.2, 0.2, 0.3]}, threshold=0.6, tail_weight_holdout=0.2),
    e("expect_column_kl_divergence_to_be_less_than", column="score",
      partition_object={"bins": [-8, -4, 0, 4, 8], "weights": [0.2, 0.2, 0, 0.3], "tail_weights": [0.2, 0.1]}, threshold=2, internal_weight_holdout=0.1),
    e("expect_column_values_to_not_be_outliers", column="score"),
    e("expect_column_values_to_not_be_outliers", column="count", method="iqr", multiplier=0.4, mostly=0.9),
    e("expect_column_values_to_not_be_outliers", column="score", method="std", multiplier=1.2),
    e("expect_multicolumn_values_to_be_equal", column_list=["a", "b"], mostly=0.3),
    e("expect_multicolumn_values_to_be_equal", column_list=["a", "b", "a"], ignore_row_if="any_value_is_missing"),
    e("expect_column_values_to_not_be_null", column="text", **only({"type": "comparison", "column": {"name": "count"}, "operator": ">", "parameter": 12})),
    e("expect_column_values_to_be_in_set", column="label", value_set=["pos"], **only({"type": "comparison", "column": {"name": "a"}, "operator": "IN", "parameter": [0, 2]})),
    e("expect_column_values_to_be_between", column="score", min_value=0, **only({"type": "and", "conditions": [
        {"type": "comparison", "column": {"name": "a"}, "operator": "==", "parameter": 1}, {"type": "nullity", "column": {"name": "label"}, "is_null": False}]})),
    e("expect_column_mean_to_be_between", column="score", min_value=0, max_value=5, **only({"type": "or", "conditions": [
        {"type": "comparison", "column": {"name": "label"}, "operator": "==", "parameter": "neg"}, {"type": "nullity", "column": {"name": "text"}, "is_null": True}]})),
    e("expect_table_row_count_to_equal", value=80, **only({"type": "comparison", "column": {"name": "b"}, "operator": "!=", "parameter": 3})),
    e("expect_column_values_to_be_unique", column="count", **only({"type": "comparison", "column": {"name": "score"}, "operator": "<=", "parameter": -9.5})),
    e("expect_column_values_to_not_be_null", column="score", **only('col("label")=="pos"', "great_expectations")),
    e("expect_column_values_to_not_be_null", column="score", **only('label == "pos" and count < 20', "pandas")),
    e("expect_column_max_to_be_between", column="count", max_value=20, **only('label in ["neg", "pos"] and not a > 2', "pandas")),
    e("expect_column_pair_values_to_be_equal", column_A="a", column_B="b", **only('text.notnull() & (a == 1 | b >= 3)', "pandas")),
]
KEEP = ["element_count", "missing_count", "missing_percent", "unexpected_count", "unexpected_percent", "unexpected_percent_total",
        "unexpected_percent_nonmissing", "partial_unexpected_list", "partial_missing_list", "observed_value"]


def camel(name):
    out = "".join(part.capitalize() for part in name.split("_"))
    return out.replace("ZScores", "ZScores").replace("KlDivergence", "KLDivergence")


def plain(value):
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


def main():
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    frame = pd.DataFrame(ROWS)
    batch = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b").get_batch({"dataframe": frame})
    answers = []
    for one in SUITE:
        result = batch.validate(getattr(gx.expectations, camel(one["type"]))(**one["kwargs"]), result_format="SUMMARY").to_json_dict()
        if result["exception_info"].get("raised_exception") or any(isinstance(v, dict) and v.get("raised_exception") for v in result["exception_info"].values()):
            print(one["type"], str(result["exception_info"])[-600:], file=sys.stderr)
            continue
        answers.append({**one, "success": bool(result["success"]), "result": {key: plain(result["result"][key]) for key in KEEP if key in result["result"]}})
    rows = [json.dumps(row, ensure_ascii=False) for row in ROWS]
    print(json.dumps({"great_expectations": gx.__version__, "rows": rows, "expectations": answers}, ensure_ascii=False, indent=0))


main()

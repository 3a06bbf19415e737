"""Values of pyarrow as slipway writes them: docs/guide/data.md, Tables."""
import base64
import datetime
import decimal
import uuid

import pyarrow as pa


def plain(value, type_):
    if value is None:
        return None
    if pa.types.is_map(type_):
        return [{"key": plain(k, type_.key_type), "value": plain(v, type_.item_type)} for k, v in value]
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        return [plain(v, type_.value_type) for v in value]
    if pa.types.is_struct(type_):
        return {field.name: plain(value[field.name], field.type) for field in type_}
    if pa.types.is_dictionary(type_):
        return plain(value, type_.value_type)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        text = value.isoformat().replace("+00:00", "")
        head, dot, fraction = text.partition(".")
        unit = getattr(type_, "unit", "us")
        return head + (dot + fraction[:3] if dot and unit == "ms" else dot + fraction.ljust(9, "0") if dot and unit == "ns" else dot + fraction)
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value

"""pyarrow's compute functions, without types: the stubs leave most of them partly unknown, and a
wrong one would hide behind as many exceptions to the rule as there are calls."""

from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pyarrow.compute

pc: Any = pyarrow.compute

if TYPE_CHECKING:
    Column: TypeAlias = pa.Array[Any]
else:
    Column = pa.Array

"""What datasets have said of people."""

from typing import Final

from cdp.tenancy.models import Sandbox
from profiles.sets import select

_ANY: Final = """
SELECT 1 FROM profiles_fragment
WHERE sandbox_id = %(sandbox)s AND dataset_id = %(dataset)s LIMIT 1
"""


def has_fragments(sandbox: Sandbox, dataset_id: str) -> bool:
    """Tell whether profiles hold anything of a dataset."""
    return bool(select(_ANY, sandbox, dataset=dataset_id))

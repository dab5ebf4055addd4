"""What datasets ask of the apps above; each app registers in its `apps.py`."""

from collections.abc import Callable

from cdp.api.registries import Registry
from cdp.datasets.models import Batch
from cdp.datasets.staging.transforms import Transform
from cdp.tenancy.models import Sandbox

# Who takes the good rows of batches that are for no dataset, under the name of a topic:
# (batch) -> what makes and judges that which is kept of a row. Chunks are published on the
# topic with `batch` and `details.chunk`, at last `batch` alone: then the batch is whole.
# Whoever stores a chunk calls `batch_work.advance` in the same transaction.
batch_takers: Registry[Callable[[Batch], Transform]] = Registry("batch taker")

# (sandbox, dataset id) -> whether something that the dataset said is kept there.
dataset_keepers: Registry[Callable[[Sandbox, str], bool]] = Registry("dataset keeper")

"""Refusals of datasets."""

from cdp.errors import Conflict, Forbidden, Invalid, Malformed, NotFound, TooMany
from cdp.tenancy.errors import Unauthenticated


class DatasetInUse(Conflict):
    """Something depends on the dataset; `dependents` lists it."""

    code, title = "dataset_in_use", "The dataset is in use"


class DatasetNotEmpty(Conflict):
    """Something that the dataset said is kept yet, or on its way."""

    code, title = "dataset_not_empty", "The dataset is not empty"


class DatasetUnknown(NotFound):
    """No dataset of the sandbox has this id."""

    code, title = "dataset_not_found", "There is no such dataset"


class SchemaNotForProfile(Conflict):
    """The dataset's schema is not enabled for Profile, so the dataset cannot be either."""

    code, title = "schema_not_for_profile", "The schema is not enabled for Profile"


class InletNotFound(NotFound):
    """No inlet has this address, or it is switched off."""

    code, title = "inlet_not_found", "There is no such inlet"


class WriteKeyRefused(Unauthenticated):
    """The inlet wants a write key of its own, and none or another one came."""

    code = "write_key_refused"


class BacklogFull(TooMany):
    """More records of the sandbox wait to be worked on than its limit."""

    code = "backlog_full"


class MessageInvalid(Invalid):
    """A message lacks what the door needs to know where its record goes."""

    code, status, title = "message_invalid", 400, "The message cannot be taken"


class RecordsInvalid(Invalid):
    """Records violate their schema, and the sender asked to be told at once."""

    code, status, title = "records_invalid", 400, "The records are not valid"


class ReceiptUnknown(NotFound):
    """No request of the sandbox has this receipt, or it is too old."""

    code, title = "receipt_not_found", "There is no such receipt"


class BatchStateWrong(Conflict):
    """The batch, or its file, is not in a state in which this can be done."""

    code, title = "batch_state", "Not in this state of the batch"


class FileIncomplete(Malformed):
    """The pieces of a file do not make a whole."""

    code, title = "file_incomplete", "The file is not whole"


class ConnectionInUse(Conflict):
    """Flows read through the connection; `dependents` lists them."""

    code, title = "connection_in_use", "The connection is in use"


class SourceFailed(Invalid):
    """The source could not be read; the detail is what it said."""

    code, title = "source_failed", "The source could not be read"


class MappingInvalid(Invalid):
    """Rules of a mapping set cannot work; `errors` names each."""

    code, title = "mapping_invalid", "The mapping cannot be used"


class RunActive(Conflict):
    """A flow has one run at a time."""

    code, title = "run_active", "The flow is running"


class FieldHidden(Forbidden):
    """What is asked for carries a label that no role of the caller does."""

    code = "field_hidden"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"'{path}' carries a label that none of your roles does. Ask for a role with it.",
            path=path,
        )

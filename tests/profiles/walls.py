"""One object for each route of profiles."""

from django.utils import timezone

from cdp.tenancy.models import Sandbox
from profiles.erasing.privacy import CONTENT, content_folder
from profiles.exporting.run import folder_of
from profiles.identity.rules import Identity, make_rules
from profiles.ids import profile_key
from profiles.models import (
    ComputedAttribute,
    DeletionOrder,
    MergePolicy,
    Namespace,
    PrivacyJob,
    ProfileExport,
)
from profiles.stitching.sightings import Sighting, Sightings
from profiles.stitching.stitch import stitch
from tests.profiles.stitching import NAMESPACES
from tests.walls import names


@names("/api/v1/profiles/{profile_id}")
def profile(sandbox: Sandbox) -> dict[str, str]:
    sightings = Sightings()
    sightings.see([Identity("Email", "walled@luma.com")], Sighting(1, "ds_walled", "1"))
    stitched = stitch(sandbox, sightings, make_rules(NAMESPACES), timezone.now())
    [number] = stitched.profile_of.values()
    return {"profile_id": profile_key(number)}


@names("/api/v1/namespaces/{code}")
def namespace(sandbox: Sandbox) -> dict[str, str]:
    made = Namespace.objects.create(
        sandbox=sandbox, code="Walled", code_key="walled", name="Walled", type="Cross_device"
    )
    return {"code": made.code}


@names("/api/v1/merge-policies/{pk}")
def merge_policy(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": MergePolicy.objects.create(sandbox=sandbox, name="Walled").pk}


@names("/api/v1/computed-attributes/{pk}")
def computed_attribute(sandbox: Sandbox) -> dict[str, str]:
    made = ComputedAttribute.objects.create(
        sandbox=sandbox, name="walled", function="count", lookback_length=1, lookback_unit="days"
    )
    return {"pk": made.pk}


@names("/api/v1/privacy-jobs/{pk}")
def privacy_job(sandbox: Sandbox) -> dict[str, str]:
    job = PrivacyJob.objects.create(
        sandbox=sandbox, action="access", regulation="none", state="complete"
    )
    with content_folder(sandbox, job.pk).writing(CONTENT) as file:
        file.write(b"walled")
    return {"pk": job.pk}


@names("/api/v1/profile-deletes/{pk}")
def profile_delete(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": DeletionOrder.objects.create(sandbox=sandbox, kind="profiles").pk}


@names("/api/v1/record-deletes/{pk}")
def record_delete(sandbox: Sandbox) -> dict[str, str]:
    return {"pk": DeletionOrder.objects.create(sandbox=sandbox, kind="records").pk}


@names("/api/v1/profile-exports/{pk}")
def profile_export(sandbox: Sandbox) -> dict[str, str]:
    made = ProfileExport.objects.create(
        sandbox=sandbox, target="file", format="csv", state="complete"
    )
    with folder_of(sandbox, made.pk).writing("content") as file:
        file.write(b"walled")
    return {"pk": made.pk}

from django.test import Client

from cdp.tenancy.models import Operator


def test_a_job_is_shown_with_what_was_asked_for(started):
    job = started(segment="seg_1")
    console = Client()
    console.force_login(Operator.objects.create_superuser("ops@example.com", "long enough, truly"))

    listed = console.get("/admin/jobs/job/").content.decode()
    page = console.get(f"/admin/jobs/job/{job.pk}/change/").content.decode()

    assert "0 of ?" in listed
    assert "&quot;segment&quot;: &quot;seg_1&quot;" in page

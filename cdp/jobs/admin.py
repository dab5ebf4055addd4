"""Jobs in the console."""

from django.contrib import admin
from django.utils.safestring import SafeString

from cdp.jobs.models import Job
from cdp.tenancy.console.base import SandboxAdmin, pretty


@admin.register(Job)
class JobAdmin(SandboxAdmin):
    list_display = ("id", "owner", "kind", "state", "progress", "created_at", "finished_at")
    list_filter = (*SandboxAdmin.list_filter, "state")
    search_fields = ("id__exact", "kind__exact")
    exclude = ("params", "result", "errors", "actor")
    readonly_fields = ("asked_for", "outcome", "failures", "started_by")

    @admin.display(description="Progress")
    def progress(self, job: Job) -> str:
        """How far it is."""
        return f"{job.done} of {'?' if job.total is None else job.total}"

    @admin.display(description="Parameters")
    def asked_for(self, job: Job) -> SafeString:
        """What was asked for."""
        return pretty(job.params)

    @admin.display(description="Result")
    def outcome(self, job: Job) -> SafeString:
        """What came of it."""
        return pretty(job.result)

    @admin.display(description="Errors")
    def failures(self, job: Job) -> SafeString:
        """What went wrong with single items."""
        return pretty(job.errors)

    @admin.display(description="Started by")
    def started_by(self, job: Job) -> str:
        """Who asked for it."""
        return str(job.actor["name"])

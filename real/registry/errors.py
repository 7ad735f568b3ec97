"""What a registry can answer instead of what was asked, by name (faults.md section 5.3). Each says what to do about it.

`passing` errors may go away by themselves and are tried again within a bound (`patience`); the others never are.
"""

from __future__ import annotations

import re
from typing import ClassVar

from sim.policy.errors import SeatrialError


class RegistryError(SeatrialError):
    """Root of this room's errors. `retry_after_s`: how long the server asked to wait, where it said so."""

    passing: ClassVar[bool] = False
    tries: ClassVar[int | None] = None  # fewer than patience has, for this error
    remedy: ClassVar[str] = "look at the registry's own log"

    def __init__(self, problem: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{problem}; {self.remedy}")
        self.problem = problem
        self.retry_after_s = retry_after_s


class AuthRejected(RegistryError):
    """401 with credentials. Harbor answers so for a wrong secret, an account that is gone, and a right it lacks."""

    remedy = "check user, secret and expiry of the account, and that it may do this in the project"


class AuthExpired(AuthRejected):
    """Credentials that worked in this run are refused now."""

    remedy = "renew the robot account; a rollback needs no pull where the old image is on the nodes"


class Forbidden(RegistryError):
    remedy = "give the account this permission, or use another account"


class QuotaExceeded(RegistryError):
    remedy = "raise the project's quota, or delete artifacts and run garbage collection"


class ReadOnly(RegistryError):
    passing = True
    remedy = "wait for the end of read-only mode, or switch it off in Harbor's configuration"


class NotFound(RegistryError):
    remedy = "check the address"


class ProjectMissing(NotFound):
    remedy = "create the project in Harbor, or name another one; Seatrial never creates it by itself"


class ArtifactMissing(NotFound):
    remedy = "push the image again; retention or garbage collection may have deleted it"


class UploadLost(NotFound):
    """The registry has forgotten an upload that was under way."""

    remedy = "push again"


class BadRequest(RegistryError):
    remedy = "correct what is named"


class Conflict(RegistryError):
    remedy = "something of that name is there and differs: rename, or delete the old one"


class Precondition(RegistryError):
    remedy = "meet the condition that Harbor names"


class ImmutableTag(Precondition):
    remedy = "push under a new tag, or change the project's immutability rule"


class NoScanner(Precondition):
    remedy = "register a scanner, or switch the project's vulnerability gate off"


class ScanBlocked(Precondition):
    """The project's vulnerability gate refuses the pull."""

    remedy = "fix the vulnerabilities, add them to the project's CVE allowlist, or choose another image"


class Unscanned(ScanBlocked):
    """The gate refuses the pull because no scan has succeeded yet."""

    remedy = "scan the artifact and wait for the report"


class ScanTimeout(RegistryError):
    remedy = "look at Harbor's job service and scanner, stop the scan and start it again"


class TooLarge(RegistryError):
    remedy = "raise the body limit of the proxy in front of the registry"


class RateLimited(RegistryError):
    passing = True
    remedy = "lower the rate of requests, or raise the limit"


class UpstreamLimited(RateLimited):
    """A proxy cache whose upstream refuses, without a copy of its own."""

    remedy = "wait until the upstream answers again, or push the image into an own project"


class ServerError(RegistryError):
    passing = True


class Unavailable(RegistryError):
    passing = True
    remedy = "check that the registry is up and that the address is right"


class Timeout(RegistryError):
    passing = True
    remedy = "check the network and the registry's load"


class BadResponse(RegistryError):
    """Not what the protocol promises: truncated, no JSON, endless pages. Reads are tried once more."""

    passing = True
    tries = 2
    remedy = "check that the address is a registry's and no proxy cuts its answers"


class DigestMismatch(RegistryError):
    """The bytes are not those that the digest names. Nothing is deployed, nothing is kept."""

    remedy = "do not use this image; push it again and check the registry's storage"


class PlatformMissing(RegistryError):
    remedy = "build the image for the platform of the nodes"


class TlsRejected(RegistryError):
    remedy = "give the CA bundle that signed the registry's certificate, and the host name it was issued for"


class InsecureRedirect(RegistryError):
    remedy = "correct the registry's external URL: credentials do not leave https"


class TagRefused(RegistryError):
    remedy = "name the image by digest (resolve the tag once, then keep the digest)"


# (status, what code and message say, the error); the first row that fits. Codes and texts: Harbor v2.16 as recorded, the registry
# 2.8, and goharbor/harbor src/server/middleware/vulnerable for the gate.
_NAMES: tuple[tuple[int, str, type[RegistryError]], ...] = (
    (400, "DIGEST_INVALID", DigestMismatch),
    (400, "MANIFEST_BLOB_UNKNOWN", ArtifactMissing),
    (400, "", BadRequest),
    (401, "", AuthRejected),
    (403, "read.only mode", ReadOnly),
    (403, "upper limit|quota", QuotaExceeded),
    (403, "", Forbidden),
    (404, "BLOB_UPLOAD_(UNKNOWN|INVALID)", UploadLost),
    (404, r"\bproject \S+ not found", ProjectMissing),
    (404, r"artifact|repository|tag|MANIFEST_UNKNOWN|BLOB_UNKNOWN|NAME_UNKNOWN", ArtifactMissing),
    (404, "", NotFound),
    (405, "", BadRequest),
    (408, "", Timeout),
    (409, "", Conflict),
    (412, "immutable", ImmutableTag),
    (412, "without vulnerability scanning|status of vulnerability scanning", Unscanned),
    (412, "PROJECTPOLICYVIOLATION", ScanBlocked),
    (412, "no available scanner", NoScanner),
    (412, "", Precondition),
    (413, "", TooLarge),
    (416, "", UploadLost),
    (422, "", BadRequest),
    (425, "", Unavailable),
    (429, r"TOOMANYREQUEST\b", UpstreamLimited),  # Harbor's own code: it passes an upstream's limit on
    (429, "", RateLimited),
    (500, "", ServerError),
    (502, "", Unavailable),
    (503, "", Unavailable),
    (504, "", Unavailable),
)


def named(status: int, said: str, action: str, retry_after_s: float | None = None) -> RegistryError:
    """The error that a status and the server's own words stand for; `action` is what was tried, for the reader."""
    for number, words, error in _NAMES:
        if number == status and re.search(words, said, re.IGNORECASE):
            return error(f"{action}: {status} {said}".rstrip(), retry_after_s)
    error = ServerError if status >= 500 else BadResponse
    return error(f"{action}: {status} {said}".rstrip(), retry_after_s)

"""What a bucket has to be like, as data: who may come to it from where, what expires, that it is open to nobody.

`core.storage.s3` compares it with what is there, sentence by sentence, and writes it. Servers give back what they
were given in other shapes (a rule's prefix inside a filter or beside it), so settings are compared by what they say.
"""
import json

EVERYONE = ("http://acs.amazonaws.com/groups/global/AllUsers",
            "http://acs.amazonaws.com/groups/global/AuthenticatedUsers")
# without BlockPublicAcls, for which Ceph 16 refuses every object its owner puts; ignoring such lists does as much
CLOSED = {"IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
LIFECYCLE = {"Rules": [
    {"ID": "parts-of-uploads-never-ended", "Status": "Enabled", "Filter": {"Prefix": ""},
     "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
    {"ID": "what-arrived-and-was-never-kept", "Status": "Enabled", "Filter": {"Prefix": "arriving/"},
     "Expiration": {"Days": 14}}]}  # a week after the worker removes it: for where no worker is


def browsers(sites: list[str]) -> dict:
    """Browsers of these sites, and of no other, send to it and play from it."""
    return {"CORSRules": [{"AllowedOrigins": sites, "AllowedMethods": ["GET", "POST", "PUT"], "AllowedHeaders": ["*"],
                           "ExposeHeaders": ["Content-Range", "Content-Length"], "MaxAgeSeconds": 3600}]}


def of_browsers(settings: dict) -> set[str]:
    """CORS in sentences."""
    return {f"browsers at {', '.join(sorted(rule['AllowedOrigins']))} may {', '.join(sorted(rule['AllowedMethods']))}, "
            f"send the headers {_named(rule, 'AllowedHeaders')} and read {_named(rule, 'ExposeHeaders')}, "
            f"for {rule.get('MaxAgeSeconds', 0)} s" for rule in settings.get("CORSRules", ())}


def _named(rule, name):
    return ", ".join(sorted(rule.get(name, ()))) or "none"


def of_lifecycle(settings: dict) -> set[str]:
    """A lifecycle in sentences."""
    return {_of_rule(dict(rule)) for rule in settings.get("Rules", ())}


def _of_rule(rule):
    below = rule.pop("Prefix", None) or rule.pop("Filter", {}).get("Prefix")
    rule.pop("Filter", None)
    said = [f"{rule.pop('ID', 'a rule')}: of {below or 'everything'}"]
    if days := rule.pop("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"):
        said.append(f"uploads never ended are dropped after {days} days")
    if days := rule.get("Expiration", {}).get("Days"):
        rule.pop("Expiration")
        said.append(f"objects are removed after {days} days")
    if rule.pop("Status", "Enabled") != "Enabled":
        said.append("switched off")
    return ", ".join([*said, *([json.dumps(rule, sort_keys=True)] if rule else [])])


def of_policy(settings: dict) -> set[str]:
    """What a bucket policy lets everyone do, in sentences; what it says of others is not ours."""
    return {f"everyone may {json.dumps(each.get('Action'))}" for each in _statements(settings) if _is_open(each)}


def closed_policy(settings: dict) -> dict | None:
    """The same policy without what it lets everyone do; None where nothing is left."""
    left = [each for each in _statements(settings) if not _is_open(each)]
    return {**settings, "Statement": left} if left else None


def _statements(settings):
    said = settings.get("Statement", [])
    return [said] if isinstance(said, dict) else said


def _is_open(statement):
    who = statement.get("Principal")
    who = who.get("AWS") if isinstance(who, dict) else who
    return statement.get("Effect") == "Allow" and "*" in ([who] if isinstance(who, str) else who or [])


def of_grants(settings: dict) -> set[str]:
    """What an access list lets everyone do, in sentences."""
    return {f"everyone may {each['Permission']}" for each in settings.get("Grants", ())
            if each["Grantee"].get("URI") in EVERYONE}


def of_block(settings: dict) -> set[str]:
    """What of public access is blocked."""
    return {name for name in CLOSED if settings.get(name)}

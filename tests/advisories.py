"""What is known against the libraries Slate runs on, by pip-audit: `make audit`.

Its silence is no evidence: where the list of advisories cannot be reached it skips every library and ends well. So what
it says is read here, and an audit of nothing, or of a part, fails.
"""
import json
import subprocess
import sys

COMMAND = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "-r", "requirements.txt"]


def findings(report: dict) -> tuple[list[str], str]:
    """(what is wrong, one sentence about how much was looked at)."""
    asked = report["dependencies"]
    skipped = [each for each in asked if "skip_reason" in each]
    audited = len(asked) - len(skipped)
    problems = [f"{each['name']} {each['version']}: {known['id']}, mended in {', '.join(known['fix_versions']) or '-'}"
                for each in asked for known in each.get("vulns", ())]
    if not audited:
        problems.append(f"Nothing was audited: all {len(asked)} libraries were skipped. This says nothing about them. "
                        "Run it where pypi.org can be reached.")
    elif skipped:
        problems.append(f"{len(skipped)} of {len(asked)} libraries were not audited: "
                        + ", ".join(each["name"] for each in skipped))
    return problems, f"{audited} of {len(asked)} libraries were audited, {len(skipped)} skipped."


if __name__ == "__main__":
    done = subprocess.run(COMMAND, capture_output=True, text=True)
    try:
        problems, looked_at = findings(json.loads(done.stdout))
    except ValueError:
        sys.exit(f"pip-audit did not come to an end:\n{done.stderr}")
    print(looked_at)
    if problems:
        sys.exit("\n".join(problems))

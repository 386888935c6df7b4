"""What was measured of the embedded server, for the page of results."""

import statistics

from training.tables.cells import machine_of, table


def serving(name, result):
    """Returns the section of `training.benchmark_serving`."""
    settings, memory, versions = (result[key] for key in ("settings", "memory", "versions"))
    head = ["server", "protocol", "clients", "requests/s", "p50", "p95", "p99", "its cores", "load"]
    rows = [_row(each) for each in result["serving"]]
    loop = ", ".join(
        f"{statistics.median(rates):.0f} with {rows} in a call"
        for rows, rates in result["loop"].items()
    )
    ratios = ", ".join(
        f"{statistics.median(found):.1f} over {protocol} ({min(found):.1f} to {max(found):.1f})"
        for protocol, found in result["ratios"].items()
    )
    costs = ", ".join(f"{each} {cost:.3f}" for each, cost in result["costs"].items())
    command = " ".join(f"--{key} {value}" for key, value in settings.items())
    return f"""### A DCGAN's generator of 28 pixels, an image per request

Medians of {settings["turns"]} turns in one run, in turn, of {settings["seconds"]} s each; times of
requests in ms. "Unbatched" answers each request with a call of its own (`--max-batch-size 1`);
the model of "no model" does nothing. The load (Locust {result["locust"]}) shares the machine: how
many cores the server and the load took stands in the last columns. On {machine_of(result)}.
(`{name}`)

{table(head, rows)}

The SavedModel called in a loop, without a server: {loop} (images/s). Putting requests together
answers times as many of most clients: {ratios}. Reading and writing takes, in ms: {costs}.

Memory under {settings["minutes"]} minutes of load by both protocols ({memory["requests"]} requests,
{memory["failures"]} failed): {memory["first_minute"]:.0f} MB in the first minute,
{memory["last_minute"]:.0f} MB in the last; {memory["slope"]:+.2f} MB per minute in the second half.
Versions swapped under load: {versions["swaps"]}; of {versions["requests"]} requests meanwhile
{versions["failures"]} failed; the memory grew by {versions["megabytes_per_swap"]:.1f} MB each.

```
python -m training.benchmark_serving {command} \\
    --output training/results/{name}
```"""


def siege(name, result):
    """Returns the section of `tests.siege`."""
    turns = result["siege"]
    rows = [
        [protocol, part, *_friends([turn[part][protocol] for turn in turns])]
        for protocol in turns[0]["alone"]
        for part in ("alone", "beside")
    ]
    head = ["protocol", "attackers", "requests", "failed", "p50", "p95", "p99"]
    return f"""### Friends beside attackers

Friends ask a DCGAN's generator, each a tenth of a second after its answer, alone and then beside
attackers: {len(turns)} turns, {result["minutes"]} minutes beside attackers in all. These send what
must be refused, begin requests and do not go on, and ask another model for what takes long. They
made {result["attacks"]:,} requests, on the same machine. Others use it too: compare the two parts.
Times in ms, medians of the turns. On {machine_of(result)}. (`{name}`)

{table(head, rows)}

{result["watched"]}.

```
python -m tests.siege --minutes {result["minutes"]} --output training/results/{name}
```"""


def _friends(loads):
    requests, failures = (sum(each[key] for each in loads) for key in ("requests", "failures"))
    times = (statistics.median(each[key] for each in loads) for key in ("p50", "p95", "p99"))
    return [f"{requests:,}", str(failures), *(f"{each:.1f}" for each in times)]


def _row(load):
    def median(key):
        return statistics.median(turn[key] for turn in load["turns"])

    return [
        load["server"],
        load["protocol"],
        str(load["clients"]),
        f"{median('rate'):.0f}",
        *(f"{median(key):.1f}" for key in ("p50", "p95", "p99")),
        *(f"{median(key):.2f}" for key in ("server_cores", "load_cores")),
    ]

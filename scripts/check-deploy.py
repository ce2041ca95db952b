"""What no schema knows of the deployment files: that they go together, and give a container no more than it needs.

Run by scripts/check-deploy, which has installed PyYAML.
"""

import pathlib
import re
import sys
import tomllib

import yaml

found = []


def want(is_so, sentence):
    if not is_so:
        found.append(sentence)


def documents(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", str(text))[1])


def hardened(name, container, pod):
    """What Kubernetes calls restricted, and a root file system that nobody writes to."""
    context, whole = container.get("securityContext", {}), pod.get("securityContext", {})
    want(whole.get("runAsNonRoot") and whole.get("runAsUser") == 65532, f"{name}: runs as another user than 65532")
    want(whole.get("seccompProfile") == {"type": "RuntimeDefault"}, f"{name}: has no seccomp profile")
    want(context.get("readOnlyRootFilesystem") is True, f"{name}: may write to its root file system")
    want(context.get("allowPrivilegeEscalation") is False, f"{name}: may gain privileges")
    want(context.get("capabilities") == {"drop": ["ALL"]}, f"{name}: keeps capabilities")
    want(pod.get("automountServiceAccountToken") is False, f"{name}: is given a token of the cluster")
    want("memory" in container.get("resources", {}).get("limits", {}), f"{name}: has no limit of memory")


def workload(path, document, configuration):
    name, spec = str(path), document["spec"]
    template = spec["template"]
    pod, labels = template["spec"], template["metadata"]["labels"]
    want(spec["selector"]["matchLabels"].items() <= labels.items(), f"{name}: selects other pods than it makes")
    [container] = pod["containers"]
    hardened(name, container, pod)
    ports = {port["name"] for port in container["ports"]}
    for probe, asked in (("startupProbe", "/readyz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/livez")):
        get = container.get(probe, {}).get("httpGet", {})
        want(get.get("path") == asked and get.get("port") in ports, f"{name}: {probe} does not ask {asked}")
    delay = seconds(configuration.get("LEADGATE_SHUTDOWN_DELAY", "0s"))
    grace = pod["terminationGracePeriodSeconds"]
    want(grace > delay + 10, f"{name}: is killed after {grace} s, and may take {delay} + 10 s to end")
    return labels, ports


def kubernetes(directory):
    files = {path: document for path in sorted(directory.glob("*.yaml")) for document in documents(path)}
    listed = files.pop(directory / "kustomization.yaml")["resources"]
    there = {path.name for path in files if ".example." not in path.name}
    want(set(listed) == there, f"{directory}: the kustomization lists {sorted(set(listed) ^ there)}, or does not")
    configuration = next((one["data"] for one in files.values() if one["kind"] == "ConfigMap"), {})
    [(path, document)] = [(p, d) for p, d in files.items() if d["kind"] in ("Deployment", "StatefulSet")]
    labels, ports = workload(path, document, configuration)
    for path, document in files.items():
        spec = document.get("spec", {})
        for selector in (spec.get("podSelector"), spec.get("selector")):
            selector = selector and selector.get("matchLabels", selector)
            want(not selector or selector.items() <= labels.items(), f"{path}: selects no pod")
        if document["kind"] == "Service":
            want({port["targetPort"] for port in spec["ports"]} <= ports, f"{path}: leads to no port of the pod")
        if document["kind"] == "NetworkPolicy":
            asked = {port["port"] for rule in spec["ingress"] for port in rule["ports"]}
            want(asked <= ports, f"{path}: lets in to no port of the pod")


def compose(path):
    file = yaml.safe_load(path.read_text())
    for name, service in file["services"].items():
        name = f"{path}: {name}"
        want(service.get("read_only") is True, f"{name}: may write to its root file system")
        want(service.get("cap_drop") == ["ALL"], f"{name}: keeps capabilities")
        want(service.get("security_opt") == ["no-new-privileges:true"], f"{name}: may gain privileges")
        for secret in service.get("secrets", []):
            want(secret in file["secrets"], f"{name}: there is no secret {secret}")


def variables():
    """Each setting that a file names is one that the program knows: an unknown one would keep it from starting."""
    known = set(re.findall(r"`(LEADGATE_[A-Z_]+)`", pathlib.Path("docs/configuration.md").read_text()))
    # Of the compose files themselves.
    known |= {"LEADGATE_HOST", "LEADGATE_IMAGE", "LEADGATE_SUBNET", "LEADGATE_PORT"}
    files = [pathlib.Path("Dockerfile"), *pathlib.Path(".").glob("compose*.yaml"), *pathlib.Path("deploy").rglob("*")]
    for path in files:
        if path.is_file():
            for variable in set(re.findall(r"LEADGATE_[A-Z_]*[A-Z]", path.read_text())) - known:
                found.append(f"{path}: docs/configuration.md knows no {variable}")


def versions():
    """What is written in several places is the same in each."""
    text = {name: pathlib.Path(name).read_text() for name in ("Dockerfile", "rust-toolchain.toml", "Cargo.toml")}
    toolchain = re.search(r'channel = "([^"]+)"', text["rust-toolchain.toml"])[1]
    want(f"rust:{toolchain}-slim" in text["Dockerfile"], f"Dockerfile: is not built with Rust {toolchain}")
    workflow = pathlib.Path(".github/workflows/release.yml").read_text()
    want(f"container: rust:{toolchain}-slim" in workflow, f"release.yml: does not build with Rust {toolchain}")
    want(f"RUSTUP_TOOLCHAIN={toolchain}" in text["Dockerfile"], f"Dockerfile: RUSTUP_TOOLCHAIN is not {toolchain}")
    want("# syntax=" not in text["Dockerfile"], "Dockerfile: a syntax line needs a registry")
    # cargo asks for them all, also where only dependencies are built.
    manifest = tomllib.loads(text["Cargo.toml"])
    stand_ins = re.search(r"RUN mkdir -p (src .*) \\", text["Dockerfile"])[1].split()
    targets = [pathlib.Path(target["path"]).parent for target in manifest["test"]]
    targets += [pathlib.Path("benches") / target["name"] for target in manifest["bench"]]
    for target in map(str, targets):
        want(target in stand_ins, f"Dockerfile: nothing stands in for {target}, which Cargo.toml names")
    version = re.search(r'^version = "([^"]+)"', text["Cargo.toml"], re.MULTILINE)[1]
    for path in pathlib.Path("deploy/kubernetes").rglob("*.yaml"):
        for tag in re.findall(r"image: \S+/leadgate:(\S+)", path.read_text()):
            want(tag == version, f"{path}: has the image {tag}, and this is version {version}")


for directory in sorted(pathlib.Path("deploy/kubernetes").iterdir()):
    kubernetes(directory)
for path in sorted(pathlib.Path(".").glob("compose*.yaml")):
    compose(path)
variables()
versions()
if found:
    sys.exit("\n".join(found))

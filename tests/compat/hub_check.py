#!/usr/bin/env python3
"""Hugging Face's own client against `slipway server`: hub_check.py PROGRAM (further arguments are not needed).

What goes up through the unmodified client comes down through it, by name, branch, tag and commit; nothing of the environment but
HF_ENDPOINT and the place of the cache is set. Exit code 77: huggingface_hub is not installed.
"""
import hashlib, io, itertools, json, os, pathlib, subprocess, sys, tempfile, threading, time, urllib.request

from recorded import Server

PROGRAM = sys.argv[1]
WORK = tempfile.TemporaryDirectory()
FOLDER = pathlib.Path(WORK.name)

SERVER = Server(PROGRAM, FOLDER)
os.environ.update(HF_ENDPOINT=SERVER.url, HF_HOME=str(FOLDER / "home"), HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
os.environ.pop("HF_TOKEN", None)
try:
    import huggingface_hub
    from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi, HfFileSystem, hf_hub_download, snapshot_download
    from huggingface_hub.utils import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

api = HfApi()


def refused(call, error, status=None):
    try:
        call()
    except error as caught:
        assert status is None or caught.response.status_code == status, (caught.response.status_code, status, str(caught))
        return caught
    raise AssertionError(f"not refused with {error.__name__}")


def content(path):
    return pathlib.Path(path).read_bytes()


def make_folder(name):
    folder = FOLDER / name
    (folder / "onnx" / "deep").mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: mit\nlibrary_name: transformers\npipeline_tag: fill-mask\nlanguage: [en, zh]\ntags: [small]\n---\n# A model\n")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "empty.txt").write_bytes(b"")
    (folder / "onnx" / "deep" / "grüße 100%.txt").write_text("grüße")
    (folder / "model.safetensors").write_bytes(os.urandom(1 << 20) * 3 + b"the end")
    (folder / "onnx" / "model.onnx").write_bytes(bytes(range(256)) * 20000 + os.urandom(1000))
    return folder


def repositories():
    assert api.whoami(token="hf_anything")["name"] == "slipway"
    url = api.create_repo("team/first")
    assert (url.repo_id, url.repo_type, str(url)) == ("team/first", "model", SERVER.url + "/team/first"), url
    refused(lambda: api.create_repo("team/first"), HfHubHTTPError, 409)
    assert api.create_repo("team/first", exist_ok=True).repo_id == "team/first"
    assert api.create_repo("team/first", repo_type="dataset", private=True).repo_type == "dataset"
    assert api.create_repo("mine").repo_id == "slipway/mine"
    refused(lambda: api.create_repo("team/page", repo_type="space", space_sdk="static"), HfHubHTTPError, 400)
    assert api.repo_exists("team/first") and not api.repo_exists("team/none")
    refused(lambda: api.model_info("team/none"), RepositoryNotFoundError)
    refused(lambda: api.model_info("none"), RepositoryNotFoundError)
    api.move_repo("slipway/mine", "team/moved")
    assert api.repo_exists("team/moved") and not api.repo_exists("slipway/mine")
    assert api.dataset_info("team/first").private and not api.model_info("team/first").private
    api.update_repo_settings("team/first", repo_type="dataset", private=False)
    assert not api.dataset_info("team/first").private
    assert [m.id for m in api.list_models()] == ["team/first", "team/moved"]
    api.delete_repo("team/moved")
    api.delete_repo("team/moved", missing_ok=True)
    refused(lambda: api.delete_repo("team/moved"), RepositoryNotFoundError)
    info = api.model_info("team/first")
    assert len(info.sha) == 40 and info.siblings == [] and api.list_repo_files("team/first") == []


def uploads():
    folder = make_folder("model")
    files = {str(p.relative_to(folder)): content(p) for p in folder.rglob("*") if p.is_file()}
    commit = api.upload_folder(repo_id="team/first", folder_path=str(folder), commit_message="all of it", commit_description="with words")
    assert commit.oid == api.model_info("team/first").sha and commit.commit_url == f"{SERVER.url}/team/first/commit/{commit.oid}", commit
    assert sorted(api.list_repo_files("team/first")) == sorted(files)
    info = api.model_info("team/first", files_metadata=True)
    for sibling in info.siblings:
        data = files[sibling.rfilename]
        assert sibling.size == len(data), sibling
        if len(data) > 1 << 20:
            assert sibling.lfs.sha256 == hashlib.sha256(data).hexdigest(), sibling
        else:
            assert sibling.blob_id == hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(), sibling
    assert info.pipeline_tag == "fill-mask" and info.card_data.license == "mit" and "license:mit" in info.tags
    assert api.upload_folder(repo_id="team/first", folder_path=str(folder)).oid == commit.oid, "nothing changed, so no commit"
    down = pathlib.Path(snapshot_download("team/first"))
    assert {str(p.relative_to(down)): content(p) for p in down.rglob("*") if p.is_file()} == files
    assert down.name == commit.oid
    assert sorted(str(p.relative_to(down2)) for down2 in [pathlib.Path(snapshot_download("team/first", allow_patterns="*.json", local_dir=FOLDER / "part"))]
                  for p in down2.rglob("*") if p.is_file() and ".cache" not in p.parts) == ["config.json"]
    second = api.upload_file(path_or_fileobj=b'{"model_type": "roberta"}', path_in_repo="config.json", repo_id="team/first")
    api.upload_file(path_or_fileobj=io.BytesIO(b"x" * (2 << 20)), path_in_repo="big/from memory.bin", repo_id="team/first")
    assert content(hf_hub_download("team/first", "config.json")) == b'{"model_type": "roberta"}'
    assert content(hf_hub_download("team/first", "config.json", revision=commit.oid)) == files["config.json"]
    assert content(hf_hub_download("team/first", "big/from memory.bin")) == b"x" * (2 << 20)
    refused(lambda: hf_hub_download("team/first", "none.json"), EntryNotFoundError)
    refused(lambda: hf_hub_download("team/first", "config.json", revision="none"), RevisionNotFoundError)
    assert api.file_exists("team/first", "config.json") and not api.file_exists("team/first", "none.json")
    return commit, second, files


def commits(commit, second):
    head = api.create_commit("team/first", [
        CommitOperationAdd("notes/a.txt", b"a"), CommitOperationAdd("notes/b.txt", b"b"),
        CommitOperationCopy("onnx/model.onnx", "copies/model.onnx"), CommitOperationCopy("config.json", "copies/config.json"),
        CommitOperationDelete("empty.txt")], commit_message="several").oid
    files = api.list_repo_files("team/first")
    assert "empty.txt" not in files and {"notes/a.txt", "copies/model.onnx", "copies/config.json"} <= set(files)
    assert content(hf_hub_download("team/first", "copies/model.onnx")) == content(hf_hub_download("team/first", "onnx/model.onnx"))
    stale = lambda: api.create_commit("team/first", [CommitOperationAdd("x", b"x")], commit_message="late", parent_commit=second.oid)
    refused(stale, HfHubHTTPError, 412)
    api.delete_file("notes/a.txt", "team/first")
    refused(lambda: api.delete_file("notes/a.txt", "team/first"), EntryNotFoundError)
    api.delete_folder("notes", "team/first")
    assert not [f for f in api.list_repo_files("team/first") if f.startswith("notes/")]
    assert "notes/a.txt" in api.list_repo_files("team/first", revision=head)
    titles = [c.title for c in api.list_repo_commits("team/first")]
    assert titles[-2:] == ["all of it", "initial commit"] and titles[2] == "several" and len(titles) == 7, titles
    assert api.list_repo_commits("team/first", revision=commit.oid)[0].message == "with words"
    tree = list(api.list_repo_tree("team/first"))
    assert sorted(e.path for e in tree) == ["README.md", "big", "config.json", "copies", "model.safetensors", "onnx"], tree
    tree = list(api.list_repo_tree("team/first", recursive=True, expand=True))
    assert sorted(e.path for e in tree if not hasattr(e, "size")) == ["big", "copies", "onnx", "onnx/deep"]
    assert {e.path: e.last_commit.title for e in tree}["config.json"] == "Upload config.json with huggingface_hub"
    assert [e.path for e in api.list_repo_tree("team/first", "onnx/deep")] == ["onnx/deep/grüße 100%.txt"]
    refused(lambda: list(api.list_repo_tree("team/first", "nowhere")), EntryNotFoundError)
    infos = api.get_paths_info("team/first", ["config.json", "onnx", "none"], expand=True)
    assert sorted(i.path for i in infos) == ["config.json", "onnx"] and all(i.last_commit for i in infos)


def many_files():
    api.create_repo("team/many", repo_type="dataset")
    adds = [CommitOperationAdd(f"data/{i % 7}/{i:05}.txt", str(i).encode()) for i in range(2300)]
    api.create_commit("team/many", adds, commit_message="many", repo_type="dataset")
    files = api.list_repo_files("team/many", repo_type="dataset")
    assert len(files) == 2300 and len(set(files)) == 2300
    entries = list(api.list_repo_tree("team/many", recursive=True, repo_type="dataset"))
    assert len(entries) == 2308 and len({e.path for e in entries}) == 2308, len(entries)
    assert [e.path for e in api.list_repo_tree("team/many", "data", repo_type="dataset")] == [f"data/{i}" for i in range(7)]
    assert [d.id for d in api.list_datasets(search="MAN")] == ["team/many"]


def references(commit):
    api.create_branch("team/first", branch="dev/new", revision=commit.oid)
    refused(lambda: api.create_branch("team/first", branch="dev/new"), HfHubHTTPError, 409)
    api.create_branch("team/first", branch="dev/new", exist_ok=True)
    api.upload_file(path_or_fileobj=b"dev", path_in_repo="dev.txt", repo_id="team/first", revision="dev/new")
    assert content(hf_hub_download("team/first", "dev.txt", revision="dev/new")) == b"dev"
    assert "empty.txt" in api.list_repo_files("team/first", revision="dev/new")
    refused(lambda: hf_hub_download("team/first", "dev.txt"), EntryNotFoundError)
    api.create_tag("team/first", tag="v1.0", tag_message="first", revision="dev/new")
    refused(lambda: api.create_tag("team/first", tag="v1.0"), HfHubHTTPError, 409)
    api.upload_file(path_or_fileobj=b"later", path_in_repo="dev.txt", repo_id="team/first", revision="dev/new")
    assert content(hf_hub_download("team/first", "dev.txt", revision="v1.0")) == b"dev"
    refs = api.list_repo_refs("team/first")
    assert sorted(b.name for b in refs.branches) == ["dev/new", "main"] and [(t.name, t.ref) for t in refs.tags] == [("v1.0", "refs/tags/v1.0")]
    refused(lambda: api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id="team/first", revision="v1.0"), RevisionNotFoundError)
    refused(lambda: api.create_branch("team/first", branch="a b"), HfHubHTTPError, 400)
    refused(lambda: api.delete_branch("team/first", branch="main"), HfHubHTTPError, 403)
    api.delete_tag("team/first", tag="v1.0")
    api.delete_branch("team/first", branch="dev/new")
    refused(lambda: api.delete_branch("team/first", branch="dev/new"), RevisionNotFoundError)


def file_system(files):
    fs = HfFileSystem()
    assert "team/first/onnx" in fs.ls("team/first", detail=False)
    assert fs.cat("team/first/onnx/deep/grüße 100%.txt") == "grüße".encode()
    with fs.open("team/first/model.safetensors", "rb") as opened:
        opened.seek(-7, 2)
        assert opened.read() == b"the end"
        opened.seek(1000)
        assert opened.read(10) == files["model.safetensors"][1000:1010]
    with fs.open("team/first/written.txt", "w") as opened:
        opened.write("through the file system")
    assert content(hf_hub_download("team/first", "written.txt")) == b"through the file system"
    assert len(fs.glob("datasets/team/many/data/3/*.txt")) == len([i for i in range(2300) if i % 7 == 3])
    assert fs.exists("team/first/config.json") and not fs.exists("team/first/none")
    fs.rm("team/first/written.txt")
    assert not fs.exists("team/first/written.txt")


def ranges_and_resume(files):
    data = files["model.safetensors"]
    url = huggingface_hub.hf_hub_url("team/first", "model.safetensors")
    ask = lambda **headers: urllib.request.urlopen(urllib.request.Request(url, headers=headers))
    with ask(Range="bytes=100-199") as part:
        assert part.status == 206 and part.read() == data[100:200] and part.headers["Content-Range"] == f"bytes 100-199/{len(data)}"
    with ask() as whole:
        assert whole.headers["X-Linked-Etag"] == whole.headers["ETag"] == f'"{hashlib.sha256(data).hexdigest()}"'
        assert whole.headers["X-Linked-Size"] == str(len(data)) and len(whole.headers["X-Repo-Commit"]) == 40
        etag = whole.headers["ETag"]
    try:
        ask(**{"If-None-Match": etag})
        raise AssertionError("not 304")
    except urllib.error.HTTPError as error:
        assert error.code == 304
    # A download that was cut off goes on where it stopped.
    place = FOLDER / "resumed"
    part = place / ".cache" / "huggingface" / "download"
    part.mkdir(parents=True)
    hf_hub_download("team/first", "model.safetensors", local_dir=place)
    assert content(place / "model.safetensors") == data
    cache = FOLDER / "cache"
    blobs = cache / "models--team--first" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / (etag.strip('"') + ".incomplete")).write_bytes(data[:1 << 20])
    assert content(hf_hub_download("team/first", "model.safetensors", cache_dir=cache)) == data


def parts():
    """Larger than one part of a multipart upload."""
    large = FOLDER / "large.bin"
    block = os.urandom(1 << 20)
    with large.open("wb") as out:
        for i in range(70):
            out.write(block[i * 1000:] + block[:i * 1000])
    api.upload_file(path_or_fileobj=str(large), path_in_repo="large.bin", repo_id="team/many", repo_type="dataset")
    with large.open("rb") as opened:  # not through xet: a file object
        api.upload_file(path_or_fileobj=opened, path_in_repo="again.bin", repo_id="team/many", repo_type="dataset")
    infos = api.get_paths_info("team/many", ["large.bin", "again.bin"], repo_type="dataset")
    assert len(infos) == 2 and infos[0].lfs.sha256 == infos[1].lfs.sha256 == hashlib.sha256(large.read_bytes()).hexdigest()
    down = hf_hub_download("team/many", "large.bin", repo_type="dataset")
    assert hashlib.sha256(content(down)).hexdigest() == infos[0].lfs.sha256


def xet_downloads():
    """Large files by hf_xet, which fetches ranges of xorbs at once; and by plain HTTP, as when it is switched off."""
    data = os.urandom(1 << 20) * 9 + os.urandom(300_001)
    api.upload_file(path_or_fileobj=io.BytesIO(data), path_in_repo="xet.bin", repo_id="team/many", repo_type="dataset")
    name = hashlib.sha256(data).hexdigest()
    with urllib.request.urlopen(urllib.request.Request(huggingface_hub.hf_hub_url("team/many", "xet.bin", repo_type="dataset"), method="HEAD")) as head:
        assert head.headers["X-Xet-Hash"] == name and 'rel="xet-auth"' in head.headers["Link"], head.headers
    import huggingface_hub.file_download as downloads
    used = []
    whole, by_xet = downloads.http_get, downloads.xet_get
    downloads.http_get = lambda *a, **k: (used.append("http"), whole(*a, **k))[1]
    downloads.xet_get = lambda *a, **k: (used.append("xet"), by_xet(*a, **k))[1]
    get = lambda place: content(hf_hub_download("team/many", "xet.bin", repo_type="dataset", cache_dir=FOLDER / place))
    assert get("by xet") == data and used == ["xet"], used
    assert content(pathlib.Path(snapshot_download("team/many", repo_type="dataset", allow_patterns="xet.bin", cache_dir=FOLDER / "snapshot")) / "xet.bin") == data
    assert used == ["xet", "xet"], used
    available, downloads.is_xet_available = downloads.is_xet_available, lambda: False
    assert get("whole") == data and used[2:] == ["http"], used
    downloads.is_xet_available, downloads.http_get, downloads.xet_get = available, whole, by_xet


def folders():
    """upload_large_folder, and .gitignore, which the server goes by."""
    folder = make_folder("large folder")
    (folder / ".gitignore").write_text("*.log\n/cache/\n!keep.log\n")
    (folder / "cache").mkdir()
    for name in ("a.log", "keep.log", "cache/x.txt"):
        (folder / name).write_text(name)
    api.create_repo("team/folder")
    want = {".gitignore", "README.md", "config.json", "empty.txt", "keep.log", "model.safetensors", "onnx/deep/grüße 100%.txt", "onnx/model.onnx"}
    api.upload_folder(repo_id="team/folder", folder_path=str(folder))
    assert set(api.list_repo_files("team/folder")) == want, api.list_repo_files("team/folder")
    (folder / "later.log").write_text("no")
    (folder / "later.txt").write_text("yes")
    if hasattr(api, "upload_large_folder"):  # before 2.0
        api.upload_large_folder(repo_id="team/folder", folder_path=str(folder), repo_type="model", num_workers=2, print_report=False)
    else:
        api.upload_folder(repo_id="team/folder", folder_path=str(folder))
    files = set(api.list_repo_files("team/folder"))
    assert files == want | {"later.txt"}, files
    first = api.list_repo_commits("team/folder")[-2].commit_id
    down = pathlib.Path(snapshot_download("team/folder", revision=first))
    assert not (down / "later.txt").exists() and content(down / "keep.log") == b"keep.log"


def killed(server):
    """kill -9 while commits come in: what was acknowledged is there, of the others all or nothing."""
    for i in range(4):
        api.create_repo(f"team/killed-{i}")
    acknowledged = [[] for _ in range(4)]

    def commit(i):
        for n in itertools.count():
            lines = [{"key": "header", "value": {"summary": str(n)}}]
            lines += [{"key": "file", "value": {"path": f"{n}/{part}", "content": f"{i} {n} {part}" * 100}} for part in "ab"]
            body = "\n".join(map(json.dumps, lines)).encode()
            request = urllib.request.Request(f"{server.url}/api/models/team/killed-{i}/commit/main", body, {"Content-Type": "application/x-ndjson"})
            try:
                with urllib.request.urlopen(request) as answer:
                    acknowledged[i].append((n, json.load(answer)["commitOid"]))
            except OSError:
                return

    threads = [threading.Thread(target=commit, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    while sum(map(len, acknowledged)) < 100:
        time.sleep(0.01)
    server.kill()
    for thread in threads:
        thread.join()
    again = Server(PROGRAM, FOLDER)
    there = HfApi(endpoint=again.url)
    for i in range(4):
        files = there.list_repo_files(f"team/killed-{i}")
        numbers = sorted({int(f.split("/")[0]) for f in files})
        assert len(files) == 2 * len(numbers), "half a commit"
        assert numbers[:len(acknowledged[i])] == [n for n, _ in acknowledged[i]] and len(numbers) <= len(acknowledged[i]) + 1
        n, oid = acknowledged[i][-1]
        with urllib.request.urlopen(f"{again.url}/team/killed-{i}/resolve/{oid}/{n}/b") as answer:
            assert answer.read() == f"{i} {n} b".encode() * 100
    subprocess.run([PROGRAM, "store", "verify", "--store", str(FOLDER / "record")], check=True, stdout=subprocess.DEVNULL)
    return again, sum(map(len, acknowledged))


repositories()
first, second, files = uploads()
commits(first, second)
references(first)
many_files()
file_system(files)
ranges_and_resume(files)
parts()
xet_downloads()
folders()
again, commits_kept = killed(SERVER)
assert len(HfApi(endpoint=again.url).list_repo_files("team/many", repo_type="dataset")) == 2303
again.stop()
print(f"huggingface_hub {huggingface_hub.__version__}: good; {commits_kept} acknowledged commits kept over kill -9")

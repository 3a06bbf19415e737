// The files of a run: its artifact tree, and what the steps of a pipeline left; the chosen one beside them.
import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { ErrorNote, Icon, Loading } from "../../components/basic";
import { Preview } from "../../components/preview";
import { artifactUrl, blobUrl, getProducts, keys, listFiles, previewUrl } from "../../lib/api";
import { bytes } from "../../lib/format";
import { t } from "../../lib/i18n";
import { setQuery, usePlace } from "../../lib/router";

interface Chosen {
  path: string;
  size: number | undefined;
}

function Folder({ id, path, chosen, choose }: { id: string; path: string; chosen: string; choose: (file: Chosen) => void }) {
  const [open, setOpen] = useState<string[]>(() => chosen.split("/").map((_, i, parts) => parts.slice(0, i + 1).join("/")));
  const query = useQuery({ queryKey: keys.files(id, path), queryFn: ({ signal }) => listFiles(id, path, signal), refetchInterval: path === "" ? 5000 : false });
  if (query.isError) return <ErrorNote error={query.error} retry={() => void query.refetch()} />;
  if (query.isPending) return <Loading />;
  if (query.data.length === 0) return path === "" ? <p class="muted">{t("files.none")}</p> : null;
  return (
    <ul>
      {query.data.map((file) => {
        const name = file.path.split("/").at(-1);
        const shown = open.includes(file.path);
        if (file.is_dir) {
          return (
            <li key={file.path}>
              <button type="button" class="plain" aria-expanded={shown} onClick={() => setOpen(shown ? open.filter((one) => one !== file.path) : [...open, file.path])}>
                <Icon name={shown ? "open" : "closed"} /><Icon name="folder" />{name}
              </button>
              {shown && <Folder id={id} path={file.path} chosen={chosen} choose={choose} />}
            </li>
          );
        }
        return (
          <li key={file.path}>
            <button type="button" class="plain" aria-current={chosen === file.path ? "true" : undefined} onClick={() => choose({ path: file.path, size: file.file_size })}>
              <Icon name="file" />{name} <span class="muted small">{bytes(file.file_size ?? 0)}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

export function Files({ id }: { id: string }) {
  const place = usePlace();
  const path = place.query.get("path") ?? "";
  const digest = place.query.get("digest") ?? "";
  const size = Number(place.query.get("size")) || undefined;
  const products = useQuery({ queryKey: keys.products(id), queryFn: ({ signal }) => getProducts(id, signal) });
  const product = products.data?.find((one) => one.digest === digest);
  const left = products.data?.filter((one) => !one.folder) ?? [];
  return (
    <div class="files">
      <nav class="card tree" aria-label={t("run.tab.files")}>
        <Folder id={id} path="" chosen={path} choose={(file) => setQuery({ path: file.path, size: file.size === undefined ? undefined : String(file.size), digest: undefined })} />
        {left.length > 0 && (
          <>
            <h2 style={{ marginTop: "12px" }}>{t("files.products")}</h2>
            <ul>
              {left.map((one) => (
                <li key={one.digest}>
                  <button type="button" class="plain" aria-current={digest === one.digest ? "true" : undefined} onClick={() => setQuery({ digest: one.digest, path: undefined, size: undefined })}>
                    <Icon name="file" />{one.name} <span class="muted small">{bytes(one.size)}</span>
                  </button>
                </li>
              ))}
            </ul>
          </>
        )}
      </nav>
      <div class="card">
        {path ? <Preview key={path} name={path} url={previewUrl(id, path)} save={artifactUrl(id, path)} size={size} />
          : product ? <Preview key={digest} name={product.name} url={blobUrl(digest)} save={blobUrl(digest)} size={product.size} />
          : <p class="muted">{t("files.choose")}</p>}
      </div>
    </div>
  );
}

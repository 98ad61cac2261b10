// The reader's own wallet (EIP-1193): it signs what creates a pool, as EIP-712 typed data.

import { get, post } from "./api.js";
import { keccak256 } from "./keccak.js";

const VALID_MS = 600_000;
const CREATE = [["owner", "address"], ["spec", "bytes32"], ["nonce", "uint64"], ["expires_ms", "uint64"]];
const DOMAIN = [["name", "string"], ["version", "string"], ["chainId", "uint256"], ["salt", "bytes32"]];

const fields = (pairs) => pairs.map(([name, type]) => ({ name, type }));

export function hasWallet() {
  return Boolean(globalThis.ethereum?.request);
}

/** The address that the wallet shows already; null when it was not asked yet. */
export async function walletAddress() {
  if (!hasWallet()) return null;
  const [address] = await globalThis.ethereum.request({ method: "eth_accounts" }).catch(() => []);
  return address?.toLowerCase() ?? null;
}

/** JSON with sorted keys and no spaces: what the spec's hash is taken of. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

function typedData(domain, message) {
  const salt = domain.venue_id.startsWith("0x") ? domain.venue_id : `0x${domain.venue_id}`;
  return {
    types: { EIP712Domain: fields(DOMAIN), CreatePool: fields(CREATE) },
    primaryType: "CreatePool",
    domain: { name: domain.name, version: domain.version, chainId: domain.chain_id, salt },
    message,
  };
}

/** Let the wallet sign the spec, and send it; tell says what is being waited for. */
export async function createPool(spec, tell) {
  tell("Waiting for your wallet.");
  const [address] = await globalThis.ethereum.request({ method: "eth_requestAccounts" });
  const owner = address.toLowerCase();
  const venue = await get("/venue");
  if (!venue.domain) throw new Error("This venue takes no signed commands, so no pool can be created here.");
  const [nonce, expires] = [String(venue.time_ms), venue.time_ms + VALID_MS];
  const message = { owner, spec: keccak256(canonical(spec)), nonce, expires_ms: String(expires) };
  const signature = await globalThis.ethereum.request({ method: "eth_signTypedData_v4", params: [owner, JSON.stringify(typedData(venue.domain, message))] });
  tell("Signed; waiting for the venue.");
  const authorisations = [{ signer: owner, nonce, expires_ms: expires, signature }];
  return post("/pools", { spec, creator: owner, client_id: `pool-${nonce}`, authorisations });
}

// The reader's own wallet (EIP-1193): it signs what creates a pool, as EIP-712 typed data.

import { get, post } from "./api.js";
import { keccak256 } from "./keccak.js";

const VALID_MS = 600_000;
let newest = 0; // nonce given; between two prices of a replay the venue's time stands still
const DOMAIN = [["name", "string"], ["version", "string"], ["chainId", "uint256"], ["salt", "bytes32"]];
const CREATE = ["CreatePool", [["owner", "address"], ["spec", "bytes32"]]];
const REGISTER = ["Register", [["owner", "address"]]];
const STAMP = [["nonce", "uint64"], ["expires_ms", "uint64"]];

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

function typedData(domain, [name, pairs], message) {
  return {
    types: { EIP712Domain: fields(DOMAIN), [name]: fields([...pairs, ...STAMP]) },
    primaryType: name,
    domain: { name: domain.name, version: domain.version, chainId: domain.chain_id, salt: domain.venue_id },
    message,
  };
}

/** Let the wallet sign a command, and send it. `signed` are the fields as they are signed. */
async function send(owner, command, type, signed) {
  const venue = await get("/venue");
  if (!venue.domain) throw new Error("This venue takes no signed commands, so no pool can be created here.");
  newest = Math.max(newest + 1, venue.time_ms);
  const [nonce, expires] = [String(newest), venue.time_ms + VALID_MS];
  const data = typedData(venue.domain, type, { ...signed, nonce, expires_ms: String(expires) });
  const signature = await globalThis.ethereum.request({ method: "eth_signTypedData_v4", params: [owner, JSON.stringify(data)] });
  const authorisations = [{ signer: owner, nonce, expires_ms: expires, signature }];
  return post("/commands", { command, client_id: `${command.type}-${nonce}`, authorisations });
}

async function isKnown(owner) {
  try {
    await get(`/owners/${owner}`);
    return true;
  } catch (error) {
    if (error.code === "owner_unknown") return false;
    throw error;
  }
}

/** Let the wallet sign the spec, and send it; tell says what is being waited for. */
export async function createPool(spec, tell) {
  tell("Waiting for your wallet.");
  const [address] = await globalThis.ethereum.request({ method: "eth_requestAccounts" });
  const owner = address.toLowerCase();
  if (!(await isKnown(owner))) {
    tell("The venue does not know you yet: your wallet signs that first, then the spec.");
    await send(owner, { type: "register", owner }, REGISTER, { owner });
  }
  return send(owner, { type: "createpool", owner, spec }, CREATE, { owner, spec: keccak256(canonical(spec)) });
}

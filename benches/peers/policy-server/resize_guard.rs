//! A Kubewarden policy: denies decreases of memory limits on pods/resize, and writes a memory resizePolicy into new pods.
//! It is on serde_json alone, which is lighter than the SDK's types. The waPC interface needs `unsafe`.
use serde_json::{Value, json};

#[link(wasm_import_module = "wapc")]
extern "C" {
    fn __guest_request(op_ptr: *mut u8, ptr: *mut u8);
    fn __guest_response(ptr: *const u8, len: usize);
    fn __guest_error(ptr: *const u8, len: usize);
}

#[no_mangle]
pub extern "C" fn __guest_call(op_len: i32, req_len: i32) -> i32 {
    let mut op = vec![0u8; op_len as usize];
    let mut req = vec![0u8; req_len as usize];
    unsafe { __guest_request(op.as_mut_ptr(), req.as_mut_ptr()) };
    let r = match &op[..] {
        b"validate" => validate(&req),
        b"validate_settings" => Ok(br#"{"valid":true,"message":null}"#.to_vec()),
        b"protocol_version" => Ok(br#""v1""#.to_vec()),
        _ => Err("unknown operation".to_string()),
    };
    match r {
        Ok(v) => {
            unsafe { __guest_response(v.as_ptr(), v.len()) };
            1
        }
        Err(e) => {
            unsafe { __guest_error(e.as_ptr(), e.len()) };
            0
        }
    }
}

const KINDS: [&str; 2] = ["containers", "initContainers"];

/// A quantity in thousandths.
fn quantity(v: &Value) -> Option<i128> {
    let text = match v {
        Value::String(s) => s.clone(),
        Value::Number(n) => n.to_string(),
        _ => return None,
    };
    let s = text.trim();
    let split = s
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '+' || c == '-'))
        .unwrap_or(s.len());
    let (number, suffix) = s.split_at(split);
    let (num, den): (i128, i128) = match suffix {
        "" => (1, 1),
        "n" => (1, 1_000_000_000),
        "u" => (1, 1_000_000),
        "m" => (1, 1_000),
        "k" => (1_000, 1),
        "M" => (1_000_000, 1),
        "G" => (1_000_000_000, 1),
        "T" => (1_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000, 1),
        "E" => (1_000_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        e if e.starts_with('e') || e.starts_with('E') => {
            let exp: u32 = e[1..].parse().ok()?;
            (10i128.checked_pow(exp)?, 1)
        }
        _ => return None,
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((w, f)) => (w, f),
        None => (number, ""),
    };
    let digits: i128 = format!("{}{}", whole, fraction).parse().ok()?;
    let scale = 10i128.checked_pow(fraction.len() as u32)?;
    digits.checked_mul(num)?.checked_mul(1000)?.checked_div(scale.checked_mul(den)?)
}

fn containers<'a>(pod: &'a Value, kind: &str) -> &'a [Value] {
    pod["spec"][kind].as_array().map(|v| &v[..]).unwrap_or(&[])
}

fn validate(payload: &[u8]) -> Result<Vec<u8>, String> {
    let mut payload: Value = serde_json::from_slice(payload).map_err(|e| e.to_string())?;
    let mut request = payload["request"].take();
    let operation = request["operation"].as_str().unwrap_or("");
    let subresource = request["subResource"].as_str().unwrap_or("");
    let accepted = || Ok(br#"{"accepted":true}"#.to_vec());
    if operation == "UPDATE" && subresource == "resize" {
        let (object, old) = (&request["object"], &request["oldObject"]);
        if old["metadata"]["annotations"]["approved-by-sre"] == "true" {
            return accepted();
        }
        for kind in KINDS {
            for now in containers(object, kind) {
                let before = match containers(old, kind).iter().find(|c| c["name"] == now["name"]) {
                    Some(c) => c,
                    None => continue,
                };
                let (a, b) = (
                    quantity(&before["resources"]["limits"]["memory"]),
                    quantity(&now["resources"]["limits"]["memory"]),
                );
                if let (Some(a), Some(b)) = (a, b) {
                    if b < a {
                        let message = format!(
                            "container {}: memory limit decreased without approved-by-sre",
                            now["name"]
                        );
                        return Ok(json!({"accepted": false, "message": message, "code": 403})
                            .to_string()
                            .into_bytes());
                    }
                }
            }
        }
        return accepted();
    }
    if operation == "CREATE" && subresource.is_empty() {
        let mut changed = false;
        let mut object = request["object"].take();
        if let Some(list) = object["spec"]["containers"].as_array_mut() {
            for c in list {
                let has = |k: &str| !c["resources"][k]["memory"].is_null();
                if !has("limits") && !has("requests") {
                    continue;
                }
                let policies = c["resizePolicy"].as_array();
                if policies.map_or(false, |p| p.iter().any(|p| p["resourceName"] == "memory")) {
                    continue;
                }
                let entry = json!({"resourceName": "memory", "restartPolicy": "RestartContainer"});
                match c["resizePolicy"].as_array_mut() {
                    Some(p) => p.push(entry),
                    None => c["resizePolicy"] = json!([entry]),
                }
                changed = true;
            }
        }
        if changed {
            return Ok(json!({"accepted": true, "mutated_object": object})
                .to_string()
                .into_bytes());
        }
    }
    accepted()
}

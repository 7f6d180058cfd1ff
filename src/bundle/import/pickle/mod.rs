//! A reader for the pickles that torch writes.
//!
//! Comes in: the bytes of a `data.pkl`. Goes out: the value at its end with all it refers to.
//! A pickle is a program for a stack machine; this one knows the opcodes of protocols 0 to 5 that
//! build data, and calls nothing: a class or function is a name, a handful of names have a meaning
//! here (tensors, dictionaries), and every other call becomes [`Value::Other`].
//!
//! Fails with a sentence if the program is cut off, too large, or takes from an empty stack.

mod input;
mod machine;
mod stack;
mod torch;
pub mod value;

use self::input::Input;
use self::machine::Machine;
use self::stack::Stack;
use self::value::{Id, Value};

/// Largest pickle: that of a large CLIP has less than one megabyte.
pub const PICKLE_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

/// A pickle that has been read.
#[derive(Debug)]
pub struct Pickle {
    /// Every value.
    pub values: Vec<Value>,
    /// The one the program ended with.
    pub root: Id,
}

/// Reads a pickle.
///
/// # Errors
/// A sentence, without the file's name.
pub fn read_pickle(bytes: &[u8]) -> Result<Pickle, String> {
    if bytes.len() as u64 > PICKLE_LIMIT_BYTES {
        return Err(format!("its pickle has {} bytes, at most {PICKLE_LIMIT_BYTES} are read", bytes.len()));
    }
    let mut machine = Machine { input: Input::new(bytes), stack: Stack::default() };
    loop {
        let at = machine.input.position();
        let op = machine.input.byte()?;
        if op == b'.' {
            let root = machine.stack.pop()?;
            return Ok(Pickle { values: machine.stack.values, root });
        }
        machine.step(op).map_err(|reason| format!("{reason} (pickle byte {at}, opcode {op:#04x})"))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::import::tree::{flatten, flatten_with_unread};

    fn root(bytes: &[u8]) -> Result<Value, String> {
        read_pickle(bytes).map(|p| p.values[p.root].clone())
    }

    #[test]
    fn reads_plain_values() {
        assert_eq!(root(b"\x80\x02K\x07."), Ok(Value::Int(7)));
        assert_eq!(root(b"J\xf9\xff\xff\xff."), Ok(Value::Int(-7)));
        assert_eq!(root(b"\x8a\x02\x2c\xff."), Ok(Value::Int(-212)));
        assert_eq!(root(b"\x8a\x00."), Ok(Value::Int(0)));
        assert_eq!(root(b"I12\n."), Ok(Value::Int(12)));
        assert_eq!(root(b"X\x02\0\0\0ab."), Ok(Value::Text("ab".to_owned())));
        assert_eq!(root(b"\x95\0\0\0\0\0\0\0\0\x8c\x02ab\x94."), Ok(Value::Text("ab".to_owned())));
        assert_eq!(root(b"(K\x01K\x02t."), Ok(Value::Tuple(vec![0, 1])));
        assert_eq!(root(b"]q\0K\x01ah\0."), Ok(Value::List(vec![1])));
        assert_eq!(root(b"}K\x01K\x02s."), Ok(Value::Dict(vec![(1, 2)])));
    }

    #[test]
    fn calls_nothing() {
        let call = b"cos\nsystem\n(X\x07\0\0\0echo hi\x85tR.";
        assert!(matches!(root(call), Ok(Value::Object(None))));
        assert!(matches!(root(b"\x8c\x02os\x8c\x06system\x93)\x81}b."), Ok(Value::Object(Some(_)))));
    }

    #[test]
    fn tensors_that_are_not_read_are_told() {
        let call = b"}X\x01\0\0\0actorch._utils\n_rebuild_tensor_v9\n)Rs.";
        let (found, unread) = flatten_with_unread(&read_pickle(call).unwrap()).unwrap();
        assert!(found.is_empty());
        assert_eq!(unread[0].name, "a");
        assert!(unread[0].why.contains("torch._utils._rebuild_tensor_v9"), "{}", unread[0].why);
    }

    #[test]
    fn bad_programs_are_errors() {
        for bytes in [
            b"".as_slice(),
            b"K\x01",
            b".",
            b"t.",
            b"(K\x010.",
            b"(00.",
            b"h\x05.",
            b"X\xff\xff\xff\xffab.",
            b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffab.",
            b"K\x01Q.",
            b"(K\x01d.",
            b"ctorch._utils\n_rebuild_tensor_v2\n)R.",
            b"ctorch._utils\n_rebuild_parameter\n)R.",
            b"\xfe.",
            b"cno end of line",
        ] {
            assert!(root(bytes).is_err(), "{bytes:?}");
        }
    }

    /// One tuple of 400,000 numbers, given to 60,000 calls.
    #[test]
    fn one_list_for_many_calls_costs_little() {
        let calls = |callee: &[u8], item: &[u8]| {
            let mut pickle = b"(".to_vec();
            pickle.extend(item.repeat(400_000));
            pickle.extend(b"tq\0c");
            pickle.extend(callee);
            pickle.extend(b"q\x01");
            // OrderedDict looks into its first argument.
            pickle.extend(b"h\0\x85q\x02");
            pickle.extend(b"h\x01h\0R0h\x01h\x02R0".repeat(30_000));
            pickle.push(b'.');
            pickle
        };
        let start = std::time::Instant::now();
        for callee in
            [&b"os\nsystem\n"[..], b"torch._utils\n_rebuild_tensor_v9\n", b"torch._utils\n_rebuild_parameter\n"]
        {
            assert!(root(&calls(callee, b"K\x01")).is_ok());
        }
        let error = root(&calls(b"collections\nOrderedDict\n", b"N")).unwrap_err();
        assert!(error.contains("look at more than"), "{error}");
        assert!(root(&calls(b"torch._utils\n_rebuild_tensor_v2\n", b"K\x01")).is_err());
        // Without the bound it is minutes.
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    #[test]
    fn long_names_are_not_copied_without_end() {
        let mut pickle = b"X\x00\x10\0\0".to_vec();
        pickle.extend([b'a'; 4096]);
        pickle.extend(b"q\0h\0h\0\x93.");
        assert!(root(&pickle).unwrap_err().contains("name"));
    }

    /// What torch 2.3 and later write for types without a storage class of their own.
    #[test]
    fn tensors_of_unknown_types_are_told_and_others_read() {
        let mut pickle = b"}(X\x01\0\0\0actorch._utils\n_rebuild_tensor_v3\n(".to_vec();
        pickle.extend(b"(X\x07\0\0\0storagectorch.storage\nUntypedStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04tQ");
        pickle.extend(b"K\0K\x04\x85K\x01\x85\x89}ctorch\nfloat8_e4m3fn\ntR");
        pickle.extend(b"X\x01\0\0\0bctorch._utils\n_rebuild_tensor_v2\n(");
        pickle.extend(b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x001X\x03\0\0\0cpuK\x04tQ");
        pickle.extend(b"K\0K\x04\x85K\x01\x85\x89}tRu.");
        let (found, unread) = flatten_with_unread(&read_pickle(&pickle).unwrap()).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["b"]);
        assert!(unread[0].name == "a" && unread[0].why.contains("float8_e4m3fn"), "{unread:?}");
    }

    #[test]
    fn two_tensors_of_one_name_are_told() {
        let tensor = |key: &[u8]| {
            let mut call =
                b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0".to_vec();
            call.extend(key);
            call.extend(b"X\x03\0\0\0cpuK\x04tQK\0K\x04\x85K\x01\x85\x89}tR");
            call
        };
        let pickle = [
            b"}(X\x03\0\0\0a.b".to_vec(),
            tensor(b"0"),
            b"X\x01\0\0\0a}X\x01\0\0\0b".to_vec(),
            tensor(b"1"),
            b"su.".to_vec(),
        ];
        let (found, unread) = flatten_with_unread(&read_pickle(&pickle.concat()).unwrap()).unwrap();
        assert!(found.is_empty());
        assert!(unread[0].name == "a.b" && unread[0].why.contains("two tensors"), "{unread:?}");
    }

    #[test]
    fn bombs_stay_small() {
        // Depth: a million nested tuples; reading and dropping them must not use the stack.
        let mut deep = b"N".to_vec();
        deep.extend(std::iter::repeat_n(0x85, 1_000_000));
        deep.push(b'.');
        assert!(flatten(&read_pickle(&deep).unwrap()).unwrap().is_empty());
        // Names: 40 levels of a dictionary that holds the one before it twice.
        let mut wide = b"}q\0".to_vec();
        for level in 1..=40u8 {
            wide.extend([b'}', b'q', level, b'(', b'K', 0, b'h', level - 1, b'K', 1, b'h', level - 1, b'u']);
        }
        wide.push(b'.');
        assert!(flatten(&read_pickle(&wide).unwrap()).unwrap_err().contains("names"));
        // A dictionary that holds itself.
        assert!(flatten(&read_pickle(b"}q\0K\x01h\0s.").unwrap()).unwrap_err().contains("nested"));
        // Keys that are no names: one large dictionary under many of them.
        let mut keys = b"}q\0(".to_vec();
        keys.extend(std::iter::repeat_n([b'N', b'N'], 100_000).flatten());
        keys.extend(b"u}(");
        (0..10_000u32).for_each(|n| keys.extend([&b"J"[..], &n.to_le_bytes(), b"h\0"].concat()));
        keys.extend(b"u.");
        assert!(flatten(&read_pickle(&keys).unwrap()).unwrap_err().contains("names"));
        // Values: more than any checkpoint has.
        let mut many = vec![b'N'; 2_000_001];
        many.push(b'.');
        assert!(read_pickle(&many).unwrap_err().contains("values"));
    }
}

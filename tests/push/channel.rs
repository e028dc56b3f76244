//! A channel by itself: what those get who were away, for how long, and when it is too much.

use std::time::{Duration, Instant};

use atalaya::api::ws::topics::{
    CATCH_UP_BYTES_MAX, Channel, Cursor, RING, RING_FRAMES_MAX, Reading, Topic,
};
use atalaya_domain::time::Timestamp;
use serde_json::{Value, json};

fn reading(seq: u64, data: Value) -> Reading {
    Reading { seq, at: Timestamp(0), data }
}

fn channel() -> Channel {
    Channel::new(Topic::Wallboard, "e1".into())
}

fn read(channel: &Channel, cursor: &mut Cursor) -> Vec<Value> {
    let frames = channel.read(cursor);
    frames.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

#[test]
fn a_cursor_gets_each_frame_once_and_in_order() {
    let (channel, start) = (channel(), Instant::now());
    let mut cursor = Cursor::Fresh;
    assert_eq!(read(&channel, &mut cursor), Vec::<Value>::new());
    channel.show(reading(5, json!({"waiting": 0})), start);
    let snapshot = read(&channel, &mut cursor);
    assert_eq!((&snapshot[0]["type"], &snapshot[0]["seq"]), (&json!("snapshot"), &json!(5)));
    for seq in [6, 9] {
        channel.show(reading(seq, json!({"waiting": seq})), start);
    }
    // What is older than what is shown is not shown.
    channel.show(reading(7, json!({"waiting": 7})), start);
    let frames = read(&channel, &mut cursor);
    let chain: Vec<_> = frames.iter().map(|frame| (&frame["from"], &frame["seq"])).collect();
    assert_eq!(chain, [(&json!(5), &json!(6)), (&json!(6), &json!(9))]);
    assert_eq!(frames[1]["set"], json!({"/waiting": 9}));
    assert_eq!(read(&channel, &mut cursor), Vec::<Value>::new());
    let mut back = Cursor::Resume(6);
    assert_eq!(read(&channel, &mut back), frames[1..]);
    assert_eq!(read(&channel, &mut Cursor::Resume(9)), Vec::<Value>::new());
    for strange in [7, 10] {
        assert_eq!(read(&channel, &mut Cursor::Resume(strange))[0]["type"], "snapshot");
    }
}

#[test]
fn frames_are_kept_for_a_time_and_up_to_a_number() {
    let (channel, start) = (channel(), Instant::now());
    channel.show(reading(0, json!({"waiting": 0})), start);
    channel.show(reading(1, json!({"waiting": 1})), start);
    channel.show(reading(2, json!({"waiting": 2})), start);
    channel.show(reading(3, json!({"waiting": 3})), start + RING);
    assert_eq!(read(&channel, &mut Cursor::Resume(1)).len(), 2);
    channel.show(reading(4, json!({"waiting": 4})), start + RING + Duration::from_millis(1));
    assert_eq!(read(&channel, &mut Cursor::Resume(1))[0]["type"], "snapshot");
    assert_eq!(read(&channel, &mut Cursor::Resume(2)).len(), 2);
    let most = u64::try_from(RING_FRAMES_MAX).unwrap();
    for seq in 5..5 + most {
        channel.show(reading(seq, json!({"waiting": seq})), start + RING);
    }
    assert_eq!(read(&channel, &mut Cursor::Resume(4)).len(), RING_FRAMES_MAX);
    assert_eq!(read(&channel, &mut Cursor::Resume(3))[0]["type"], "snapshot");
}

#[test]
fn who_missed_too_much_gets_the_one_snapshot() {
    let (channel, start) = (channel(), Instant::now());
    channel.show(reading(1, json!({})), start);
    let mut cursors = [Cursor::Fresh, Cursor::Fresh];
    for cursor in &mut cursors {
        read(&channel, cursor);
    }
    for seq in 2..4 {
        let text = char::from(b'a' + u8::try_from(seq).unwrap()).to_string();
        let text = text.repeat(CATCH_UP_BYTES_MAX / 2);
        channel.show(reading(seq, json!({"text": text})), start);
    }
    let [first, second] = cursors.each_mut().map(|cursor| channel.read(cursor));
    assert_eq!((first.len(), second.len()), (1, 1));
    assert!(first[0].contains("\"snapshot\""));
    assert_eq!(first[0].as_ptr(), second[0].as_ptr(), "it was made twice");
}

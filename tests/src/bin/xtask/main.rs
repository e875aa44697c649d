fn main() {
    for t in mote_tests::tables::all() {
        std::fs::write(t.path, t.text).unwrap();
    }
}

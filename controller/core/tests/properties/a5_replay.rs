//! A5: the inputs in a log line give the same decision again.

use crate::given;
use forewarm_core::decide::Inputs;
use forewarm_core::decision::Decision;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a5_inputs_written_and_read_give_the_same_decision(
        inputs in prop_oneof![given::inputs(), given::free_to_move()],
    ) {
        let line = serde_json::to_string(&inputs).expect("inputs can be written");
        let read: Inputs = serde_json::from_str(&line).expect("a line can be read");
        prop_assert_eq!(&read, &inputs);
        prop_assert_eq!(read.decide(), inputs.decide());
    }

    #[test]
    fn a5_a_decision_written_and_read_is_the_same(inputs in given::inputs()) {
        let decision = inputs.decide();
        let line = serde_json::to_string(&decision).expect("a decision can be written");
        prop_assert_eq!(serde_json::from_str::<Decision>(&line).expect("a line can be read"), decision);
    }
}

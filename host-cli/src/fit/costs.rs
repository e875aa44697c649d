//! Instructions of a sample by a board's measured costs.

use std::sync::LazyLock;

use serde::Deserialize;

/// What one board takes, by its kernels' counts under QEMU; `docs/memory.md` tells how the table is measured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardCosts {
    /// The board's name.
    pub board: String,
    /// The core's name.
    pub core: String,
    /// Instructions a multiply-accumulate.
    pub multiply_accumulate: f64,
    /// Instructions a row of a hidden layer: requantisation, activation, the next layer's code.
    pub hidden_row: f64,
    /// Instructions a row of the last layer.
    pub output_row: f64,
    /// Instructions an input component: the input quantiser.
    pub input: f64,
    /// Instructions a layer, whatever its size.
    pub layer: f64,
    /// Instructions a step, whatever the dimension.
    pub step: f64,
    /// Instructions a component of the state at every step: the row's linear update.
    pub update: f64,
    /// Instructions a normal.
    pub normal: f64,
    /// Bytes of an activation code in working memory: 4 on a core that multiplies one number at a time.
    pub lane_bytes: usize,
    /// Cycles an instruction: the least and the most to expect.
    pub cycles_per_instruction: [f64; 2],
    /// Bytes of flash of an image that parses, checks itself and samples, without a model.
    pub code_bytes: usize,
    /// Bytes of memory besides the arena: statics and the measured stack.
    pub other_ram_bytes: usize,
}

/// What a sample asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// Widths from the input to the output.
    pub widths: Vec<usize>,
    /// Steps, an evaluation each.
    pub steps: usize,
    /// Steps that draw noise, besides the start.
    pub noisy_steps: usize,
}

impl Work {
    /// Multiply-accumulates of one evaluation.
    #[must_use]
    pub fn multiply_accumulates(&self) -> usize {
        self.widths.windows(2).map(|pair| pair[0] * pair[1]).sum()
    }
}

impl BoardCosts {
    /// Instructions of one evaluation of the network.
    #[must_use]
    pub fn evaluation(&self, work: &Work) -> f64 {
        let (Some(inputs), Some(outputs)) = (work.widths.first(), work.widths.last()) else { return 0.0 };
        let hidden: usize = work.widths[1..work.widths.len() - 1].iter().sum();
        self.multiply_accumulate * work.multiply_accumulates() as f64
            + self.hidden_row * hidden as f64
            + self.output_row * *outputs as f64
            + self.input * *inputs as f64
            + self.layer * (work.widths.len() - 1) as f64
    }

    /// Instructions of a sample: its evaluations, its updates and its normals.
    #[must_use]
    pub fn sample(&self, work: &Work) -> f64 {
        let dim = work.widths.first().copied().unwrap_or(0) as f64;
        let steps = work.steps as f64;
        steps * (self.evaluation(work) + self.step + self.update * dim)
            + self.normal * dim * (1 + work.noisy_steps) as f64
    }

    /// The least and the most cycles of a sample to expect.
    #[must_use]
    pub fn cycles(&self, work: &Work) -> [f64; 2] {
        self.cycles_per_instruction.map(|cycles| cycles * self.sample(work))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    board: Vec<BoardCosts>,
}

static TABLE: LazyLock<Vec<BoardCosts>> =
    LazyLock::new(|| toml::from_str::<Table>(include_str!("costs.toml")).expect("the committed table").board);

/// Every board, in the order of the firmware's list.
#[must_use]
pub fn boards() -> &'static [BoardCosts] {
    &TABLE
}

/// The costs of a board.
#[must_use]
pub fn board_costs(name: &str) -> Option<&'static BoardCosts> {
    TABLE.iter().find(|costs| costs.board == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_knows_every_board_of_the_firmware_in_its_order() {
        let known: Vec<&str> = mote_qemu::BOARDS.iter().map(|board| board.name).collect();
        assert_eq!(boards().iter().map(|costs| costs.board.as_str()).collect::<Vec<_>>(), known);
        for (costs, board) in boards().iter().zip(mote_qemu::BOARDS) {
            assert_eq!(costs.core, board.core);
            let [low, high] = costs.cycles_per_instruction;
            assert!(0.0 < low && low <= high, "{}", costs.board);
        }
    }

    #[test]
    fn a_sample_adds_up_from_its_parts() {
        let costs = BoardCosts {
            board: String::new(),
            core: String::new(),
            multiply_accumulate: 2.0,
            hidden_row: 10.0,
            output_row: 20.0,
            input: 5.0,
            layer: 100.0,
            step: 50.0,
            update: 3.0,
            normal: 40.0,
            lane_bytes: 2,
            cycles_per_instruction: [1.0, 2.0],
            code_bytes: 0,
            other_ram_bytes: 0,
        };
        let work = Work { widths: vec![2, 8, 2], steps: 3, noisy_steps: 1 };
        // 2 * (16 + 16) + 10 * 8 + 20 * 2 + 5 * 2 + 100 * 2 = 394; 3 * (394 + 50 + 6) + 40 * 2 * 2 = 1510.
        assert_eq!((costs.evaluation(&work), costs.sample(&work)), (394.0, 1510.0));
        assert_eq!(costs.cycles(&work), [1510.0, 3020.0]);
    }
}

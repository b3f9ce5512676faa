//! The steps that evaluations may take.

use super::{Bindings, Environment, Outcome, Value, check, versions};

#[test]
fn an_expression_that_takes_too_many_steps_has_no_result() {
    let nested = |name: &str, depth: usize, list: &str| {
        format!("{}true{}", format!("{list}.{name}(a, ").repeat(depth), ")".repeat(depth))
    };
    let ten = "[1,2,3,4,5,6,7,8,9,10]";
    let twenty = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]";
    let outcome = |text: &str| {
        let expression = check(text, Environment::Disk, &versions()[0]).expect(text);
        expression.evaluate(&Bindings::default())
    };
    assert_eq!(outcome(&nested("all", 2, ten)), Outcome::True);
    for depth in 5..12 {
        for list in [ten, twenty] {
            assert_eq!(outcome(&nested("all", depth, list)), Outcome::Unknown);
            assert_eq!(outcome(&format!("{} == []", nested("map", depth, list))), Outcome::Unknown);
            assert_eq!(outcome(&format!("size({}) == 1", nested("map", depth, list))), Outcome::Unknown);
        }
    }
    // Nothing is lost of an expression that is decided before.
    assert_eq!(outcome(&format!("false && {}", nested("all", 11, ten))), Outcome::False);
}

#[test]
fn many_expressions_share_their_steps() {
    let ten = "[1,2,3,4,5,6,7,8,9,10]";
    let expression =
        check(&format!("{ten}.all(a, {ten}.all(b, true))"), Environment::Disk, &versions()[0]).expect("CEL");
    let (mut steps, bindings) = (1_000, Bindings::default());
    let outcomes: Vec<Outcome> = (0..6).map(|_| expression.evaluate_within(&bindings, &mut steps)).collect();
    assert_eq!(outcomes[0], Outcome::True);
    assert_eq!((outcomes[5], steps), (Outcome::Unknown, 0));
}

#[test]
fn the_conditions_of_one_expression_share_their_steps() {
    let ten = "[1,2,3,4,5,6,7,8,9,10]";
    let large = format!("disk.serial == ({ten}.all(a, {ten}.all(b, {ten}.all(c, true))) ? 'a' : 'b') && ");
    let expression = |text: &str| check(text, Environment::Disk, &versions()[0]).expect(text);
    let implied = |text: &str| expression(text).implied().get("disk.model").cloned();
    assert_eq!(implied("disk.model == 'm'"), Some(Value::from("m")));
    // Nothing is known of the conditions after those that took all steps.
    assert_eq!(implied(&format!("{}disk.model == 'm'", large.repeat(10))), None);
}

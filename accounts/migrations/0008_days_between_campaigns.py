from django.core.validators import MaxValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_answers_of_the_api")]

    operations = [
        migrations.AddField(
            "workspace",
            "cool_down_days",
            models.PositiveSmallIntegerField(default=30, validators=[MaxValueValidator(365)]),
        ),
    ]
